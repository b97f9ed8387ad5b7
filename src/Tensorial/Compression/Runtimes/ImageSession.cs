using Tensorial.Graphs;

namespace Tensorial.Compression.Runtimes;

/// <summary>Sessions of networks that answer images.</summary>
internal static class ImageSession
{
    /// <summary>The first output for a batch of images.</summary>
    /// <param name="session">The network, loaded.</param>
    /// <param name="graph">The same network, for the names of its input and output.</param>
    /// <param name="images">[n, ...] as its input.</param>
    /// <exception cref="BadInputException">The network has several inputs, or its first output is not of float32.</exception>
    public static Tensor<float> Run(this ISession session, Graph graph, Tensor<float> images) =>
        graph.FreeInputs is [{ } input]
            ? session.Run(new Dictionary<string, Tensor> { [input.Name] = images })[graph.Outputs[0].Name].Of<float>()
            : throw new BadInputException(
                $"A network with one input was expected; this one has {graph.FreeInputs.Length}: {string.Join(", ", graph.FreeInputs.Select(static port => port.Name))}."
            );
}
