using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>One application of an operation. Values are known by name; an absent optional input is the empty name.</summary>
/// <param name="Name">The node's own name, possibly empty.</param>
/// <param name="Operation">What it does.</param>
/// <param name="Inputs">Names of the values it reads.</param>
/// <param name="Outputs">Names of the values it makes.</param>
public sealed record Node(string Name, Operation Operation, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs)
{
    /// <summary>
    /// The node as it stood in the file it was read from, as long as its operation is the one read; null for nodes we made.
    /// </summary>
    public object? Source { get; init; }

    /// <summary>
    /// Values that bodies inside the node (branches, loops) read from around it; they are no operands, but must be there.
    /// </summary>
    public ImmutableArray<string> Captured { get; init; } = [];

    /// <summary>All values that must be there before the node runs.</summary>
    public ImmutableArray<string> Reads => Captured.IsEmpty ? Inputs : [.. Inputs, .. Captured];

    /// <summary>A name to show people: the node's own, or its first output's.</summary>
    public string Label => Name.Length > 0 ? Name : Outputs.FirstOrDefault(static o => o.Length > 0) ?? Operation.Name;
}

/// <summary>An extent that is fixed, or free under a name (such as the batch).</summary>
public readonly record struct Dimension(int? Extent, string? Name = null)
{
    /// <inheritdoc/>
    public override string ToString() => Extent?.ToString() ?? Name ?? "?";
}

/// <summary>A value that enters or leaves a network. <see cref="Dimensions"/> is null where the file does not say.</summary>
public sealed record Port(string Name, ElementType Type, ImmutableArray<Dimension>? Dimensions)
{
    /// <summary>For example <c>x Float32 [N, 3, 32, 32]</c>.</summary>
    public override string ToString() => Dimensions is { } known ? $"{Name} {Type} [{string.Join(", ", known)}]" : $"{Name} {Type}";
}

/// <summary>
/// A network: nodes in an order in which every value is made before it is read, and the constants they use. Immutable;
/// a changed network is a new one that shares what did not change.
/// </summary>
public sealed record Graph(
    string Name,
    ImmutableArray<Node> Nodes,
    ImmutableArray<Port> Inputs,
    ImmutableArray<Port> Outputs,
    ImmutableDictionary<string, Tensor> Initializers
)
{
    /// <summary>Free text that travels with the network.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>
    /// The file this network was read from, as its format keeps it: what the network itself has no word for survives there.
    /// </summary>
    public object? Source { get; init; }

    /// <summary>The inputs that must be given: an initializer that is an input as well is its default.</summary>
    public ImmutableArray<Port> FreeInputs => Inputs.RemoveAll(port => Initializers.ContainsKey(port.Name));

    /// <summary>The value of a constant, whether a file lists it or a node holds it; null where a name stands for something else.</summary>
    public Tensor? ConstantOf(string name) => Initializers.GetValueOrDefault(name) ?? ConstantNodes.From(Nodes).ValueOf(name);

    /// <summary>Name, size, inputs and outputs: <c>cnn4: 12 nodes, 93,322 constants' values, x Float32 [N, 3, 32, 32] -> scores Float32 [N, 10]</c>.</summary>
    public override string ToString() =>
        $"{Name}: {Nodes.Length} nodes, {Initializers.Values.Sum(static value => (long)value.Shape.ElementCount):N0} constants' values, "
        + $"{string.Join(", ", FreeInputs)} -> {string.Join(", ", Outputs)}";

    /// <summary>This network with one constant replaced, or added. A constant that a node makes is replaced in that node.</summary>
    public Graph With(string constant, Tensor value)
    {
        if (Initializers.ContainsKey(constant))
            return this with { Initializers = Initializers.SetItem(constant, value) };
        return ConstantNodes.From(Nodes).PlaceOf(constant) is { } place
            ? this with
            {
                Nodes = Nodes.SetItem(place, Nodes[place] with { Operation = new Constant(value) }),
            }
            : this with
            {
                Initializers = Initializers.Add(constant, value),
            };
    }

    /// <summary>This network with the values of one constant replaced, rounded to the type in which it holds them.</summary>
    public Graph WithValues(string constant, Tensor value) =>
        With(constant, value.To(ConstantOf(constant)?.ElementType ?? value.ElementType));

    /// <summary>The part of this network that makes one value, with that as its only output, of a type and extents left open.</summary>
    public Graph ExtractSubgraph(string value)
    {
        HashSet<string> needed = [value];
        var nodes = ImmutableArray.CreateBuilder<Node>();
        foreach (Node node in Nodes.Reverse())
        {
            if (!node.Outputs.Any(needed.Contains))
                continue;
            needed.UnionWith(node.Reads);
            nodes.Add(node);
        }
        nodes.Reverse();
        return this with { Nodes = nodes.ToImmutable(), Outputs = [new(value, ElementType.Float32, null)] };
    }
}
