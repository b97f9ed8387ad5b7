namespace Tensorial.Execution;

/// <summary>A batch on its way through a network: all values that the steps from <see cref="Step"/> on still need.</summary>
internal sealed record Activations
{
    internal Activations(Tensor<float> source, int piece, int step, byte[][][] kept) =>
        (Source, Piece, Step, Kept) = (source, piece, step, kept);

    internal Tensor<float> Source { get; init; }

    internal int Piece { get; init; }

    /// <summary>The bytes of each value, by piece of the batch, then by value.</summary>
    internal byte[][][] Kept { get; init; }

    /// <summary>The step that comes next.</summary>
    public int Step { get; init; }

    public int Images => Source.Shape[0];

    /// <summary>Bytes kept beside the images themselves.</summary>
    public long Bytes => Kept.Sum(static piece => piece?.Sum(static value => (long)value.Length) ?? 0);
}
