using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A function that several nodes compute together.</summary>
/// <param name="Function">The function.</param>
/// <param name="Input">What it is of.</param>
/// <param name="Inner">The nodes before the last, which nobody else needs.</param>
internal sealed record Recognized(Operation Function, string Input, IReadOnlyList<Node> Inner);

/// <summary>How values of a network are made of others and of numbers, as far as its nodes have been read.</summary>
/// <param name="graph">The network.</param>
/// <param name="changing">Initializers that training changes, which are no numbers of a function.</param>
internal sealed class Terms(Graph graph, IReadOnlySet<string> changing)
{
    private const double Tolerance = 1e-4;

    private readonly Dictionary<string, Node> _makers = [];
    private readonly Uses _uses = new(graph);

    /// <summary>Reads a node.</summary>
    public void Add(Node node)
    {
        foreach (string output in node.Outputs)
            _makers[output] = node;
    }

    public Node? MakerOf(string name) => _makers.GetValueOrDefault(name);

    /// <summary>The maker of a value that one node alone reads.</summary>
    public Node? OnlyFor(string name) => _uses.OnlyReader(name) is not null ? MakerOf(name) : null;

    /// <summary>The operand that is no constant, and the number that the other one is.</summary>
    public (string Value, double Number)? WithoutConstant(Node node) =>
        node.Inputs is not [var a, var b] ? null
        : Scalar(b) is { } right ? (a, right)
        : Scalar(a) is { } left ? (b, left)
        : null;

    /// <summary>The operand of a node that multiplies it by a number, however that is written.</summary>
    public string? Times(Node node, double number) =>
        node.Operation is not (Mul or Div) || WithoutConstant(node) is not var (value, factor) ? null
        : node.Operation is Mul
            ? Is(factor, number) ? value
                : null
        : value == node.Inputs[0] && Is(1 / factor, number) ? value
        : null;

    /// <summary>A constant of one number, without axes or with one.</summary>
    public double? Scalar(string name) =>
        (
            changing.Contains(name) ? null
            : graph.Initializers.TryGetValue(name, out Tensor? tensor) ? tensor
            : MakerOf(name)?.Operation is Constant constant ? constant.Value
            : null
        )
            is { Shape: { Rank: <= 1, ElementCount: 1 }, ElementType: ElementType.Float32 or ElementType.Float64 } value
            ? value.To(ElementType.Float64).Of<double>().Values[0]
            : null;

    public static bool Is(double number, double wanted) => Math.Abs(number - wanted) <= Tolerance * Math.Abs(wanted);
}
