using FsCheck;
using FsCheck.Fluent;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Tests.Equations;

/// <summary>
/// Convolutions of planes in float32, which run on the kernels of networks, against the same equations in float64, which do not.
/// </summary>
public class PlaneConvolutionTests
{
    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 1_000_000).ToArbitrary();

    [Fact]
    public void Results_and_gradients_agree_with_float64() =>
        Prop.ForAll(
                Seeds,
                static seed =>
                {
                    Random random = new(seed);
                    (string equation, Shape x, Shape w) = Case(random);
                    Check(equation, random, x, w);
                }
            )
            .Holds();

    [Theory]
    [InlineData("nihw,oihw->nohw|hw", new[] { 3, 20, 16, 16 }, new[] { 36, 20, 3, 3 })]
    [InlineData("nihw,oihw->nohw|hw", new[] { 20, 20, 18, 18 }, new[] { 36, 20, 3, 3 })]
    [InlineData("nihw,hwio->nohw|hw[stride=2]", new[] { 3, 20, 17, 16 }, new[] { 3, 3, 20, 36 })]
    [InlineData("nihw,oihw->nohw|hw[stride=3 pad=4]", new[] { 3, 20, 13, 14 }, new[] { 36, 20, 5, 4 })]
    [InlineData("nihw,oihw->nohw|hw[stride=2 dilation=2 pad=2]", new[] { 6, 20, 27, 26 }, new[] { 36, 20, 3, 3 })]
    [InlineData("nihw,oihw->nohw|hw[stride=2 pad=1]", new[] { 6, 20, 17, 16 }, new[] { 36, 20, 1, 1 })]
    [InlineData("nihw,oihw->nohw|hw[convolution pad=full]", new[] { 3, 20, 9, 9 }, new[] { 17, 20, 3, 2 })]
    [InlineData("nihw,oihw->nohw|hw[circular]", new[] { 3, 20, 12, 12 }, new[] { 36, 20, 3, 3 })]
    [InlineData("nchw,chw->nchw|hw", new[] { 5, 40, 20, 20 }, new[] { 40, 3, 3 })]
    [InlineData("ngihw,goihw->ngohw|hw", new[] { 3, 3, 8, 12, 12 }, new[] { 3, 10, 8, 3, 3 })]
    [InlineData("nchw,cw->nchw|w", new[] { 5, 40, 20, 20 }, new[] { 40, 3 })]
    [InlineData("nchw,ch->nchw|h[stride=2]", new[] { 5, 40, 20, 20 }, new[] { 40, 3 })]
    [InlineData("nihw,oih->nohw|h[pad=valid]", new[] { 5, 20, 12, 12 }, new[] { 20, 20, 3 })]
    [InlineData("niw,oiw->now|w[dilation=2]", new[] { 9, 20, 60 }, new[] { 36, 20, 3 })]
    [InlineData("nijhw,oijhw->nohw|hw[pad=2]", new[] { 3, 4, 5, 10, 10 }, new[] { 20, 4, 5, 5, 5 })]
    [InlineData("nihw,oihw->nohw|hw[pad=-1]", new[] { 3, 20, 16, 16 }, new[] { 36, 20, 3, 3 })]
    public void Named_cases_agree_with_float64(string equation, int[] x, int[] w) => Check(equation, new(1), [.. x], [.. w]);

    /// <summary>Parts of a batch, not threads, decide in which order a kernel's gradient is summed.</summary>
    [Theory]
    [InlineData("nihw,oihw->nohw|hw")]
    [InlineData("nihw,oihw->nohw|hw[stride=2]")]
    public void The_number_of_threads_changes_no_bit(string equation)
    {
        Random random = new(2);
        Tensor<float>[] operands = [Draw(random, [11, 20, 16, 16]), Draw(random, [36, 20, 3, 3])];
        Plan plan = Plan.Create(Equation.Parse(equation), null, operands[0].Shape, operands[1].Shape);
        float[][] results =
        [
            .. new[] { 1, 2, 3 }.Select(threads =>
            {
                using ThreadWorkers workers = new(threads);
                using EquationValue<float> evaluation = plan.Evaluate<float>(operands, workers);
                return evaluation.Gradients(evaluation.Result).SelectMany(static g => g!.Values.ToArray()).ToArray();
            }),
        ];
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static void Check(string text, Random random, Shape x, Shape w)
    {
        Plan plan = Plan.Create(Equation.Parse(text), null, x, w);
        Tensor<float>[] operands = [Draw(random, x), Draw(random, w)];
        Tensor<double>[] wide = [.. operands.Select(Wide)];
        Tensor<float> upstream = Draw(random, plan.Result);
        using ThreadWorkers workers = new(2);
        using EquationValue<float> actual = plan.Evaluate<float>(operands, workers);
        using EquationValue<double> wanted = plan.Evaluate<double>(wide, workers);
        Close($"{text} for {x} and {w}", wanted.Result, actual.Result);
        Tensor<double>?[] gradients = wanted.Gradients(Wide(upstream));
        Tensor<float>?[] narrow = actual.Gradients(upstream);
        for (int k = 0; k < 2; k++)
            Close($"gradient {k} of {text} for {x} and {w}", gradients[k]!, narrow[k]!);
    }

    private static (string Equation, Shape X, Shape W) Case(Random random)
    {
        int Next(int low, int past) => random.Next(low, past);
        (int inputs, int outputs, int groups) = (Next(1, 40), Next(1, 40), Next(2, 9));
        (int kh, int kw, int stride, int dilation) = (Next(1, 5), Next(2, 5), Next(1, 4), Next(1, 3));
        (int height, int width) = (Next(10, 24), Next(10, 24));
        string kind = Next(0, 2) == 0 ? "" : " convolution";
        string padding = ((string[])["same", "valid", "full", $"{Next(0, 3)}:{Next(0, 3)}"])[Next(0, 4)];
        string options = $"|hw[stride={stride} dilation={dilation} pad={padding}{kind}]";
        return Next(0, 4) switch
        {
            0 => ($"nchw,chw->nchw{options}", [Next(1, 10), inputs, height, width], [inputs, kh, kw]),
            1 => (
                $"ngihw,goihw->ngohw{options}",
                [Next(1, 5), groups, inputs % 9 + 1, height, width],
                [groups, outputs % 9 + 1, inputs % 9 + 1, kh, kw]
            ),
            _ => ($"nihw,oihw->nohw{options}", [Next(1, 10), inputs, height, width], [outputs, inputs, kh, kw]),
        };
    }

    private static void Close(string what, Tensor<double> wanted, Tensor<float> actual)
    {
        double scale = 1;
        foreach (double value in wanted.Values)
            scale = Math.Max(scale, Math.Abs(value));
        for (int i = 0; i < wanted.Shape.ElementCount; i++)
            Assert.True(
                Math.Abs(wanted.Values[i] - actual.Values[i]) <= 2e-5 * scale,
                $"{what} at {i}: {actual.Values[i]} instead of {wanted.Values[i]}"
            );
    }

    private static Tensor<double> Wide(Tensor<float> values) => (Tensor<double>)values.To(ElementType.Float64);

    private static Tensor<float> Draw(Random random, Shape shape)
    {
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = random.NextSingle() * 2 - 1;
        return values;
    }
}
