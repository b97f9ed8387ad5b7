using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>Random inputs of a network, for where shapes and times matter and values hardly do.</summary>
internal static class RandomInputs
{
    /// <summary>Multiply-accumulates that a comparison on random inputs may take in one network: some seconds.</summary>
    private const long MacsToCompare = 20_000_000_000;

    /// <summary>Samples that a comparison is made on: 64, fewer where a network takes long for one.</summary>
    public static int SamplesFor(Graph graph) =>
        (int)Math.Clamp(MacsToCompare / Math.Max(1, GraphStatistics.From(graph.WithGuessedExtents()).Macs), 1, 64);

    /// <summary>A tensor for every input: normally distributed numbers, zeros where the type is of integers (they may be indices).</summary>
    /// <param name="graph">The network.</param>
    /// <param name="batch">The first extent of inputs that leave it open.</param>
    /// <param name="seed">Seed of the numbers.</param>
    /// <param name="scale">Mean and deviation of the numbers; null for 0 and 1.</param>
    /// <exception cref="BadInputException">An input does not say how many axes it has.</exception>
    public static IReadOnlyDictionary<string, Tensor> Create(Graph graph, int batch, int seed, InputScale? scale = null)
    {
        Random random = new(seed);
        return graph
            .WithGuessedExtents()
            .WithBatch(batch)
            .FreeInputs.ToDictionary(static port => port.Name, port => Tensor(port, ShapeOf(port), random, scale));
    }

    private static Shape ShapeOf(Port port) =>
        port.Dimensions is { } dimensions
            ? Shape.From([.. dimensions.Select(static dimension => dimension.Extent ?? 1)])
            : throw new BadInputException($"The input '{port.Name}' does not say which shape it has.");

    private static Tensor Tensor(Port port, Shape shape, Random random, InputScale? scale)
    {
        if (port.Type is not (ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16))
            return Tensorial.Tensor.Zeros(port.Type, shape);
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = (float)((scale?.Mean ?? 0) + (scale?.Deviation ?? 1) * random.NextNormal());
        return values.To(port.Type);
    }
}
