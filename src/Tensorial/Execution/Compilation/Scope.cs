using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>What the table of implementations may ask of the network that is compiled.</summary>
/// <param name="Graph">The network, its passes applied.</param>
/// <param name="Shapes">Types and extents of its values.</param>
/// <param name="Changing">Constants that training changes in place.</param>
/// <param name="Batch">How the program goes through the batch.</param>
/// <param name="Cache">Where packed kernels are kept.</param>
internal sealed record Scope(
    Graph Graph,
    IReadOnlyDictionary<string, ValueInfo> Shapes,
    FrozenSet<string> Changing,
    BatchPlan Batch,
    WeightCache Cache
)
{
    private readonly HashSet<string> _blocked = [];

    /// <summary>Who reads each value.</summary>
    public Uses Uses { get; } = new(Graph);

    /// <summary>Nodes that depend on constants alone: products of factors, for example. They come first and run once, whatever the batch.</summary>
    private readonly HashSet<string> _parameters = [.. ParametersFirst.Leading(Graph).SelectMany(static node => node.Outputs)];

    /// <summary>How many of them there are.</summary>
    public int ParameterNodes { get; } = ParametersFirst.Leading(Graph).Length;

    /// <summary>Threads that share a step which is given the whole batch.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Images of a map that one call of a kernel is given, as far as is known before all steps are.</summary>
    public int ImagesOf(in BlockedLayout layout) => Batch.IsSharded ? Math.Min(layout.Images, Batch.UsualPiece) : layout.Images;

    /// <summary>Whether a value that is made before the node under consideration is left blocked.</summary>
    public bool IsBlocked(string name) => _blocked.Contains(name);

    public void MarkBlocked(string name) => _blocked.Add(name);

    public Shape ShapeOf(string name) => Constant(name)?.Shape ?? Shapes[name].Shape;

    /// <summary>A constant, or a weight in the place where training changes it; null for computed and absent values.</summary>
    public Tensor? Constant(string? name) => name is { Length: > 0 } ? Graph.Initializers.GetValueOrDefault(name) : null;

    /// <summary>Whether a computed value depends on constants alone.</summary>
    public bool IsParameter(string name) => _parameters.Contains(name);

    public bool IsComputed(string name) => name.Length > 0 && !Graph.Initializers.ContainsKey(name);

    /// <summary>Whether a parameter is float32 numbers, constant or computed, or absent.</summary>
    public bool IsFloat(string? name) =>
        name is not { Length: > 0 } || (Constant(name)?.ElementType ?? Shapes[name].Type) == ElementType.Float32;

    /// <summary>A float32 constant that nothing changes.</summary>
    public Tensor<float>? Fixed(string? name) => name is not null && Changing.Contains(name) ? null : Constant(name) as Tensor<float>;

    /// <summary>Whether a value is a float32 feature map of one or two axes that steps may take piece by piece.</summary>
    public bool IsMap(string name) =>
        Shapes.TryGetValue(name, out ValueInfo? value)
        && value is { Type: ElementType.Float32, Shape.Rank: 3 or 4 }
        && value.Shape[0] % Batch.Images == 0
        && value.Shape.ElementCount > 0;

    /// <summary>Extents of a feature map's planes; a map of one axis has planes of one row.</summary>
    public (int Height, int Width) PlaneOf(string name) =>
        ShapeOf(name) is { Rank: 3 } row ? (1, row[2]) : (ShapeOf(name)[2], ShapeOf(name)[3]);

    /// <summary>The blocked layout of a feature map.</summary>
    public BlockedLayout LayoutOf(string name, Halo halo = default)
    {
        (int height, int width) = PlaneOf(name);
        return new(ShapeOf(name)[0], ShapeOf(name)[1], height, width, halo);
    }

    /// <summary>A fixed constant that is one number, or one for each channel, as one for each channel; null where it is neither.</summary>
    public float[]? PerChannel(string name, string map)
    {
        if (Fixed(name) is not { } constant)
            return null;
        int channels = ShapeOf(map)[1],
            rank = ShapeOf(map).Rank;
        if (constant.Shape.ElementCount == 1)
            return [.. Enumerable.Repeat(constant.Values[0], channels)];
        bool fits =
            constant.Shape.ElementCount == channels
            && (constant.Shape.Rank == rank || constant.Shape.Rank == rank - 1)
            && constant.Shape[constant.Shape.Rank - rank + 1] == channels;
        return fits ? constant.Values.ToArray() : null;
    }
}
