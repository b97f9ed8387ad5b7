using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Finds x Φ(x) as files before operator set 20 write it: the product, in any order, of x, 1/2 and 1 + erf(x / √2), or of x, 1/2 and
/// 1 + tanh(√(2 / π) (x + 0.044715 x³)).
/// </summary>
/// <param name="graph">The network.</param>
/// <param name="makers">The nodes so far, by what they make.</param>
/// <param name="changing">Initializers that training changes.</param>
internal sealed class RecognizeGelu(Graph graph, IReadOnlyDictionary<string, Node> makers, IReadOnlySet<string> changing)
{
    private const double Tolerance = 1e-4;

    /// <summary>The function that a product is, what it is of, and the nodes before it that only it needs; null where it is none.</summary>
    public (Gelu Function, string Input, IReadOnlyList<Node> Inner)? Of(Node product, Uses uses)
    {
        List<string> factors = [];
        List<Node> inner = [];
        double scale = 1;
        Multiply(product, factors, inner, ref scale, uses, 3);
        if (factors.Count != 2 || !Is(scale, 0.5))
            return null;
        for (int side = 0; side < 2; side++)
        {
            (string x, string gate) = (factors[1 - side], factors[side]);
            List<Node> within = [];
            if (
                OnlyFor(gate, uses) is { Operation: Add } sum
                && WithoutConstant(sum) is var (bent, one)
                && Is(one, 1)
                && OnlyFor(bent, uses) is { Operation: Erf or Tanh } function
                && (function.Operation is Erf ? IsScaled(function.Inputs[0], x, Math.Sqrt(0.5), within, uses) : IsCubic(function.Inputs[0], x, within, uses))
            )
                return (new(function.Operation is Tanh), x, [.. inner, sum, function, .. within]);
        }
        return null;
    }

    /// <summary>Gathers the factors of a product and of the products that only it reads; those that are single numbers in scale.</summary>
    private void Multiply(Node node, List<string> factors, List<Node> inner, ref double scale, Uses uses, int depth)
    {
        bool isQuotient = node.Operation is Div;
        for (int side = 0; side < 2; side++)
        {
            string name = node.Inputs[side];
            if (Scalar(name) is { } number)
                scale *= isQuotient && side == 1 ? 1 / number : number;
            else if (isQuotient && side == 1)
                factors.AddRange([name, name, name]);
            else if (depth > 0 && OnlyFor(name, uses) is { Operation: Mul or Div } before && HasNumberOrGate(before))
            {
                inner.Add(before);
                Multiply(before, factors, inner, ref scale, uses, depth - 1);
            }
            else
                factors.Add(name);
        }
    }

    /// <summary>Whether a product might belong to the function, and is not itself what the function is of.</summary>
    private bool HasNumberOrGate(Node product) =>
        product.Inputs.Any(name =>
            Is(Scalar(name) ?? 0, 0.5)
            || Is(Scalar(name) ?? 0, 2)
            || makers.TryGetValue(name, out Node? maker) && maker.Operation is Add && WithoutConstant(maker) is var (_, one) && Is(one, 1)
        );

    /// <summary>Whether a value is x times a number.</summary>
    private bool IsScaled(string name, string x, double factor, List<Node> within, Uses uses)
    {
        if (OnlyFor(name, uses) is not { Operation: Mul or Div } node || WithoutConstant(node) is not var (value, number) || value != x)
            return false;
        within.Add(node);
        return Is(node.Operation is Div ? 1 / number : number, factor) && (node.Operation is Mul || node.Inputs[0] == x);
    }

    /// <summary>Whether a value is √(2 / π) (x + 0.044715 x³).</summary>
    private bool IsCubic(string name, string x, List<Node> within, Uses uses)
    {
        if (
            OnlyFor(name, uses) is not { Operation: Mul } outer
            || WithoutConstant(outer) is not var (bracket, scale)
            || !Is(scale, Math.Sqrt(2 / Math.PI))
            || OnlyFor(bracket, uses) is not { Operation: Add } sum
            || sum.Inputs.IndexOf(x) is not (>= 0 and var side)
            || OnlyFor(sum.Inputs[1 - side], uses) is not { Operation: Mul } term
            || WithoutConstant(term) is not var (cube, cubic)
            || !Is(cubic, 0.044715)
            || OnlyFor(cube, uses) is not { } power
        )
            return false;
        within.AddRange([outer, sum, term, power]);
        if (power.Operation is Pow)
            return power.Inputs[0] == x && Is(Scalar(power.Inputs[1]) ?? 0, 3);
        if (power.Operation is not Mul || power.Inputs.IndexOf(x) is not (>= 0 and var one))
            return false;
        if (OnlyFor(power.Inputs[1 - one], uses) is not { } square)
            return false;
        within.Add(square);
        return square.Operation is Mul && square.Inputs is [var a, var b] && a == x && b == x
            || square.Operation is Pow && square.Inputs[0] == x && Is(Scalar(square.Inputs[1]) ?? 0, 2);
    }

    /// <summary>The maker of a value that one node alone reads.</summary>
    private Node? OnlyFor(string name, Uses uses) =>
        makers.TryGetValue(name, out Node? maker) && uses.OnlyReader(name) is not null ? maker : null;

    /// <summary>The operand that is no constant, and the number that the other one is.</summary>
    private (string Value, double Number)? WithoutConstant(Node node) =>
        node.Inputs is not [var a, var b] ? null
        : Scalar(b) is { } right ? (a, right)
        : Scalar(a) is { } left ? (b, left)
        : null;

    /// <summary>A constant without axes.</summary>
    private double? Scalar(string name) =>
        (
            changing.Contains(name) ? null
            : graph.Initializers.TryGetValue(name, out Tensor? tensor) ? tensor
            : makers.TryGetValue(name, out Node? maker) && maker.Operation is Constant constant ? constant.Value
            : null
        )
            is { Shape.Rank: 0, ElementType: ElementType.Float32 or ElementType.Float64 } value
            ? value.To(ElementType.Float64).Of<double>().Values[0]
            : null;

    private static bool Is(double number, double wanted) => Math.Abs(number - wanted) <= Tolerance * wanted;
}
