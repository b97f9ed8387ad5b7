using FsCheck;
using FsCheck.Fluent;
using Tensorial.Equations;

namespace Tensorial.Tests.Equations;

/// <summary>An equation made up from a seed, with shapes that fit it.</summary>
internal sealed record RandomEquation(string Text, Shape[] Shapes)
{
    private static readonly string[] PlainAxes = ["a", "b", "c", "s1", "(group)", "f"],
        ConvolvedAxes = ["x", "y2", "(time)"];

    public static Arbitrary<int> Seeds { get; } = Gen.Choose(0, int.MaxValue - 100).ToArbitrary();

    public Equation Equation => Equation.Parse(Text);

    /// <param name="seed">Where chance starts.</param>
    /// <param name="least">The least number of operands.</param>
    /// <param name="most">The largest one.</param>
    public static RandomEquation Of(int seed, int least = 1, int most = 4)
    {
        Random random = new(seed);
        int operands = random.Next(least, most + 1);
        int convolved = operands == 1 ? 0 : random.Next(0, operands > 3 ? 3 : 4);
        List<(string Axis, int Extent)>[] terms = [.. Enumerable.Range(0, operands).Select(static _ => new List<(string, int)>())];
        List<string> output = [],
            windows = [];
        foreach (string axis in PlainAxes.Take(random.Next(1, PlainAxes.Length + 1)))
        {
            int extent = random.Next(1, 4);
            int[] holders = Some(random, operands, 1);
            foreach (int holder in holders)
                terms[holder].Add((axis, extent));
            if (random.Next(2) == 0)
                output.Add(axis);
        }
        foreach (string axis in ConvolvedAxes.Take(convolved))
        {
            int[] holders = Some(random, operands, 2);
            int signal = random.Next(1, 7),
                stride = random.Next(1, 4),
                dilation = random.Next(1, 3),
                reach = 0;
            terms[holders[0]].Add((axis, signal));
            foreach (int holder in holders[1..])
            {
                int taps = random.Next(1, 4);
                reach += dilation * (taps - 1);
                terms[holder].Add((axis, taps));
            }
            windows.Add(axis + Options(random, signal, reach, stride, dilation));
            if (random.Next(8) > 0)
                output.Add(axis);
        }
        foreach (List<(string, int)> term in terms)
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(term));
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(output));
        string text =
            $"{string.Join(", ", terms.Select(static term => string.Concat(term.Select(static leg => leg.Axis))))} -> {string.Concat(output)}";
        return new(
            windows.Count == 0 ? text : $"{text} | {string.Join(", ", windows)}",
            [.. terms.Select(static term => Shape.From([.. term.Select(static leg => leg.Extent)]))]
        );
    }

    public Tensor<double>[] Operands(int seed) => [.. Shapes.Select((shape, i) => Operations.Some.Real<double>(shape, seed + i))];

    public Tensor<double>[] WholeOperands(int seed) => [.. Shapes.Select((shape, i) => Operations.Some.Whole<double>(shape, seed + i))];

    public override string ToString() => $"{Text} for {string.Join(", ", Shapes)}";

    private static string Options(Random random, int signal, int reach, int stride, int dilation)
    {
        int before = random.Next(0, 4),
            after = random.Next(0, 4);
        string pad = random.Next(4) switch
        {
            0 => "same",
            1 when signal > reach => "valid",
            2 => "full",
            _ => signal + before + after > reach ? $"{before}:{after}" : $"{reach}",
        };
        string kind = random.Next(2) == 0 ? "convolution" : "correlation",
            ends = random.Next(3) == 0 ? " circular" : "";
        return $"[{kind} stride={stride} dilation={dilation} pad={pad}{ends}]";
    }

    private static int[] Some(Random random, int count, int least)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        random.Shuffle(all);
        return [.. all.Take(random.Next(least, count + 1)).Order()];
    }
}
