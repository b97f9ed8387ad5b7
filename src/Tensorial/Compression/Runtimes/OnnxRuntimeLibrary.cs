using System.Runtime.InteropServices;
using System.Text;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Compression.Runtimes;

/// <summary>
/// The native ONNX Runtime of this machine, through its C API. Nothing of ours needs it: it is there to measure what users will run.
/// </summary>
public sealed unsafe class OnnxRuntimeLibrary : IRuntime
{
    /// <summary>Names a folder that holds the library, or node_modules with onnxruntime-node.</summary>
    public const string Variable = "TENSORIAL_ONNXRUNTIME";

    private static readonly string[] FileNames =
        OperatingSystem.IsWindows() ? ["onnxruntime.dll"]
        : OperatingSystem.IsMacOS() ? ["libonnxruntime.dylib", "libonnxruntime.1.dylib"]
        : ["libonnxruntime.so.1", "libonnxruntime.so"];

    private readonly OrtApi _api;
    private readonly nint _environment,
        _memory;

    private OnnxRuntimeLibrary(string path)
    {
        Path = path;
        _api = new(NativeLibrary.Load(path));
        _environment = _api.CreateEnvironment();
        _memory = _api.CreateCpuMemory();
    }

    /// <summary>The file that was loaded.</summary>
    public string Path { get; }

    public string Name => $"onnxruntime {_api.VersionText}";

    /// <summary>
    /// Looks for the library in a place given (the file, its folder, or a folder with onnxruntime-node installed), else in the folder that
    /// the environment variable names, beside the tool, and in node_modules from the current folder upwards.
    /// </summary>
    /// <exception cref="IOException">It was not found, or cannot be loaded.</exception>
    public static OnnxRuntimeLibrary Open(string? place = null)
    {
        string[] places = place is not null ? [place] : [.. DefaultPlaces()];
        string path =
            places.Select(Find).FirstOrDefault(static found => found is not null)
            ?? throw new IOException(
                $"No ONNX Runtime library ({string.Join(", ", FileNames)}) was found in {string.Join(", ", places)}. "
                    + $"Name its folder in {Variable}, or install onnxruntime-node with npm."
            );
        try
        {
            return new(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new IOException($"'{path}' cannot be loaded as ONNX Runtime: {error.Message}", error);
        }
    }

    public ISession Load(Graph graph, int threads) => new Session(this, graph, threads);

    public void Dispose()
    {
        _api.ReleaseMemory(_memory);
        _api.ReleaseEnvironment(_environment);
    }

    private static IEnumerable<string> DefaultPlaces()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            yield return named;
        yield return AppContext.BaseDirectory;
        for (DirectoryInfo? folder = new(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
            if (Directory.Exists(System.IO.Path.Combine(folder.FullName, "node_modules", "onnxruntime-node")))
                yield return folder.FullName;
    }

    private static string? Find(string place)
    {
        if (File.Exists(place))
            return System.IO.Path.GetFullPath(place);
        string architecture = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        string system =
            OperatingSystem.IsWindows() ? "win32"
            : OperatingSystem.IsMacOS() ? "darwin"
            : "linux";
        string module = System.IO.Path.Combine(place, "node_modules", "onnxruntime-node", "bin");
        IEnumerable<string> folders = Directory.Exists(module)
            ? Directory.GetDirectories(module).Select(version => System.IO.Path.Combine(version, system, architecture))
            : [];
        return folders.Prepend(place).SelectMany(static folder => FileNames, System.IO.Path.Combine).FirstOrDefault(File.Exists);
    }

    private sealed class Session : ISession
    {
        private readonly OnnxRuntimeLibrary _library;
        private readonly nint _session;
        private readonly byte[] _input,
            _output;

        public Session(OnnxRuntimeLibrary library, Graph graph, int threads)
        {
            _library = library;
            Port[] inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
            if (inputs is not [{ Type: ElementType.Float32 } only])
                throw new BadInputException($"A network with one float32 input was expected; this one has {inputs.Length}.");
            (_input, _output) = (Terminated(only.Name), Terminated(graph.Outputs[0].Name));
            nint options = library._api.CreateOptions(threads);
            try
            {
                _session = library._api.CreateSession(library._environment, OnnxFile.ToBytes(graph), options);
            }
            finally
            {
                library._api.ReleaseOptions(options);
            }
        }

        public Tensor<float> Run(Tensor<float> images)
        {
            OrtApi api = _library._api;
            long[] extents = [.. images.Shape.Select(static extent => (long)extent)];
            fixed (float* values = images.Values)
            {
                nint input = api.CreateTensor(_library._memory, values, images.Values.Length, extents),
                    output = 0;
                try
                {
                    output = api.Run(_session, _input, input, _output);
                    Tensor<float> result = new(api.ShapeOf(output));
                    new ReadOnlySpan<float>(api.Data(output), result.Values.Length).CopyTo(result.Values);
                    return result;
                }
                finally
                {
                    api.ReleaseValue(input);
                    if (output != 0)
                        api.ReleaseValue(output);
                }
            }
        }

        public void Dispose() => _library._api.ReleaseSession(_session);

        private static byte[] Terminated(string name) => Encoding.UTF8.GetBytes(name + '\0');
    }
}
