using Microsoft.ML.OnnxRuntime;
using Tensorial.Compression.Runtimes;

namespace Tensorial.OnnxRuntime;

/// <summary>A network that ONNX Runtime has loaded.</summary>
internal sealed class OrtSession(InferenceSession session) : ISession
{
    private readonly RunOptions _options = new();
    private readonly IReadOnlyList<string> _outputs = session.OutputNames;

    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        string[] names = [.. session.InputNames.Where(inputs.ContainsKey)];
        if (session.InputNames.Except(names).FirstOrDefault() is { } missing)
            throw new BadInputException($"No tensor is given for the input '{missing}'.");
        PinnedTensor[] pinned = [.. names.Select(name => OrtTensors.Pin(inputs[name]))];
        try
        {
            return OrtRuntime.Guarded(() =>
            {
                using IDisposableReadOnlyCollection<OrtValue> results = session.Run(
                    _options,
                    names,
                    [.. pinned.Select(static tensor => tensor.Value)],
                    _outputs
                );
                return _outputs
                    .Zip(results, static (name, value) => KeyValuePair.Create(name, OrtTensors.Copy(name, value)))
                    .ToDictionary();
            });
        }
        finally
        {
            foreach (PinnedTensor tensor in pinned)
                tensor.Dispose();
        }
    }

    public void Dispose()
    {
        _options.Dispose();
        session.Dispose();
    }
}
