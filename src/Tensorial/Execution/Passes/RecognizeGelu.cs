using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Finds x Φ(x) as files before operator set 20 write it: the product, in any order, of x, 1/2 and 1 + erf(x / √2), or of x, 1/2 and
/// 1 + tanh(√(2 / π) (x + 0.044715 x³)).
/// </summary>
/// <param name="terms">How the network's values are made.</param>
internal sealed class RecognizeGelu(Terms terms)
{
    /// <summary>The function that a product is, what it is of, and the nodes before it that only it needs; null where it is none.</summary>
    public Recognized? Of(Node product)
    {
        List<string> factors = [];
        List<Node> inner = [];
        double scale = 1;
        Multiply(product, factors, inner, ref scale, 3);
        if (factors.Count != 2 || !Terms.Is(scale, 0.5))
            return null;
        for (int side = 0; side < 2; side++)
        {
            (string x, string gate) = (factors[1 - side], factors[side]);
            List<Node> within = [];
            if (
                terms.OnlyFor(gate) is { Operation: Add } sum
                && terms.WithoutConstant(sum) is var (bent, one)
                && Terms.Is(one, 1)
                && terms.OnlyFor(bent) is { Operation: Erf or Tanh } function
                && (
                    function.Operation is Erf
                        ? IsScaled(function.Inputs[0], x, Math.Sqrt(0.5), within)
                        : IsCubic(function.Inputs[0], x, within)
                )
            )
                return new(new Gelu(function.Operation is Tanh), x, [.. inner, sum, function, .. within]);
        }
        return null;
    }

    /// <summary>Gathers the factors of a product and of the products that only it reads; those that are single numbers in scale.</summary>
    private void Multiply(Node node, List<string> factors, List<Node> inner, ref double scale, int depth)
    {
        bool isQuotient = node.Operation is Div;
        for (int side = 0; side < 2; side++)
        {
            string name = node.Inputs[side];
            if (terms.Scalar(name) is { } number)
                scale *= isQuotient && side == 1 ? 1 / number : number;
            else if (isQuotient && side == 1)
                factors.AddRange([name, name, name]);
            else if (depth > 0 && terms.OnlyFor(name) is { Operation: Mul or Div } before && HasNumberOrGate(before))
            {
                inner.Add(before);
                Multiply(before, factors, inner, ref scale, depth - 1);
            }
            else
                factors.Add(name);
        }
    }

    /// <summary>Whether a product might belong to the function, and is not itself what the function is of.</summary>
    private bool HasNumberOrGate(Node product) =>
        product.Inputs.Any(name =>
            Terms.Is(terms.Scalar(name) ?? 0, 0.5)
            || Terms.Is(terms.Scalar(name) ?? 0, 2)
            || terms.MakerOf(name) is { Operation: Add } maker && terms.WithoutConstant(maker) is var (_, one) && Terms.Is(one, 1)
        );

    /// <summary>Whether a value is x times a number.</summary>
    private bool IsScaled(string name, string x, double factor, List<Node> within)
    {
        if (
            terms.OnlyFor(name) is not { Operation: Mul or Div } node
            || terms.WithoutConstant(node) is not var (value, number)
            || value != x
        )
            return false;
        within.Add(node);
        return Terms.Is(node.Operation is Div ? 1 / number : number, factor) && (node.Operation is Mul || node.Inputs[0] == x);
    }

    /// <summary>Whether a value is √(2 / π) (x + 0.044715 x³).</summary>
    private bool IsCubic(string name, string x, List<Node> within)
    {
        if (
            terms.OnlyFor(name) is not { Operation: Mul } outer
            || terms.WithoutConstant(outer) is not var (bracket, scale)
            || !Terms.Is(scale, Math.Sqrt(2 / Math.PI))
            || terms.OnlyFor(bracket) is not { Operation: Add } sum
            || sum.Inputs.IndexOf(x) is not (>= 0 and var side)
            || terms.OnlyFor(sum.Inputs[1 - side]) is not { Operation: Mul } term
            || terms.WithoutConstant(term) is not var (cube, cubic)
            || !Terms.Is(cubic, 0.044715)
            || terms.OnlyFor(cube) is not { } power
        )
            return false;
        within.AddRange([outer, sum, term, power]);
        if (power.Operation is Pow)
            return power.Inputs[0] == x && Terms.Is(terms.Scalar(power.Inputs[1]) ?? 0, 3);
        if (power.Operation is not Mul || power.Inputs.IndexOf(x) is not (>= 0 and var one))
            return false;
        if (terms.OnlyFor(power.Inputs[1 - one]) is not { } square)
            return false;
        within.Add(square);
        return square.Operation is Mul && square.Inputs is [var a, var b] && a == x && b == x
            || square.Operation is Pow && square.Inputs[0] == x && Terms.Is(terms.Scalar(square.Inputs[1]) ?? 0, 2);
    }
}
