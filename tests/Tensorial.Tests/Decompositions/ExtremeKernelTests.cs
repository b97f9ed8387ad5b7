using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

/// <summary>Kernels that training never gives and files may hold: of zeros, of one direction, of sizes at both ends of float32.</summary>
public class ExtremeKernelTests
{
    private static readonly Shape Extents = [6, 5, 3, 3];

    private static readonly Dictionary<string, Func<int, int, int, int, double, double>> Kernels = new()
    {
        ["zeros"] = static (o, i, h, w, noise) => 0,
        ["an output channel of zeros"] = static (o, i, h, w, noise) => o == 2 ? 0 : noise,
        ["input channels of zeros"] = static (o, i, h, w, noise) => i < 3 ? 0 : noise,
        ["one tap"] = static (o, i, h, w, noise) => h == 1 && w == 1 ? noise : 0,
        ["one value"] = static (o, i, h, w, noise) => (o, i, h, w) == (1, 2, 0, 1) ? 3e-3 : 0,
        ["equal values"] = static (o, i, h, w, noise) => 0.1,
        ["rank one"] = static (o, i, h, w, noise) => (o + 1) * (i - 1.5) * (h + 0.5) * (w - 2.5),
        ["output channels of 1e-15 and 1e15"] = static (o, i, h, w, noise) => noise * (o % 2 == 0 ? 1e-15 : 1e15),
        ["input channels of 1e-15 and 1e15"] = static (o, i, h, w, noise) => noise * (i % 2 == 0 ? 1e-15 : 1e15),
        ["values of 1e38"] = static (o, i, h, w, noise) => noise * 1e38,
        ["values of 1e-37"] = static (o, i, h, w, noise) => noise * 1e-37,
        ["subnormal values"] = static (o, i, h, w, noise) => noise * 1e-42,
        ["a rank-one kernel of 1e38"] = static (o, i, h, w, noise) => 1e36 * (o + 1) * (i - 1.5) * (h + 0.5) / (w + 1),
    };

    public static TheoryData<string> Names => [.. Kernels.Keys];

    /// <summary>In every format: never worse than nothing at all, of numbers that a file can hold, and of no other size than the kernel.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Its_factors_are_finite_and_no_worse_than_zeros(string name)
    {
        Tensor<double> kernel = Kernel(name);
        List<string> wrong = [];
        foreach (KernelFormat format in KernelFormat.All)
        {
            KernelForm form = KernelForm.From(format, Extents);
            foreach (double rate in (double[])[0.2, 0.6])
            {
                ImmutableArray<int> ranks = form.RanksAt(new KernelStarts(kernel, KernelMetric.Plain), rate);
                string where = $"{format} at {string.Join('×', ranks)}";
                try
                {
                    TensorFactors<double> fit = KernelFactorization.Fit(kernel, format, ranks);
                    Tensor<double>[] stored = [.. fit.Factors.Select(static f => (Tensor<double>)Some.Single(f).To(ElementType.Float64))];
                    double own = Distance(kernel, fit.Reconstruct()),
                        written = Distance(kernel, (fit with { Factors = [.. stored] }).Reconstruct());
                    if (!(fit.RelativeError is >= 0 and <= 1 + 1e-9))
                        wrong.Add($"{where}: the error is {fit.RelativeError}");
                    if (!(Math.Abs(own - fit.RelativeError) <= 1e-6))
                        wrong.Add($"{where}: the error is {own}, not {fit.RelativeError}");
                    if (!(written <= own + 2e-3))
                        wrong.Add($"{where}: in float32 the error is {written}, not {own}");
                }
                catch (Exception error)
                {
                    wrong.Add($"{where}: {error.GetType().Name}: {error.Message} {error.StackTrace?.Split('\n')[0]}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>One term is all that a kernel of rank one needs, whatever its size.</summary>
    [Theory]
    [InlineData("one value")]
    [InlineData("equal values")]
    [InlineData("rank one")]
    [InlineData("a rank-one kernel of 1e38")]
    public void A_kernel_of_rank_one_is_kept_by_ranks_of_one(string name)
    {
        Tensor<double> kernel = Kernel(name);
        List<string> wrong = [];
        // Reshaped formats split channels, along which these kernels are no products.
        foreach (KernelFormat format in KernelFormat.All.Where(static format => !format.IsReshaped))
        {
            KernelForm form = KernelForm.From(format, Extents);
            ImmutableArray<int> ones = form.Tensor.Ragged is null ? [.. form.MaxRanks.Select(static _ => 1)] : form.RanksAt(1e-9);
            double error = KernelFactorization.Fit(kernel, format, ones).RelativeError;
            // Sums of terms pay for the terms' energy, which leaves an error of λ.
            if (!(error <= (form.Tensor.IsSumOfTerms ? KernelFactorization.Damping : 1e-5)))
                wrong.Add($"{format} at {string.Join('×', ones)}: {error}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>
    /// A kernel and the same times a power of two have factors of the same quality: bit by bit where both are brought to a usual size first,
    /// nearly where one is fitted as it is.
    /// </summary>
    [Theory]
    [InlineData(12)]
    [InlineData(-14)]
    [InlineData(-140)]
    public void Size_does_not_matter(int exponent)
    {
        Tensor<double> kernel = Some.Noise(Extents, 5);
        List<string> wrong = [];
        foreach (KernelFormat format in KernelFormat.All)
        {
            ImmutableArray<int> ranks = KernelForm.From(format, Extents).RanksAt(new KernelStarts(kernel, KernelMetric.Plain), 0.5);
            double Error(int power) => KernelFactorization.Fit(Times(kernel, power), format, ranks).RelativeError;
            (double usual, double large, double actual) = (Error(0), Error(120), Error(exponent));
            if (!(Math.Abs(large - actual) <= 1e-12) || !(Math.Abs(usual - actual) <= 0.05 * usual))
                wrong.Add($"{format} at {string.Join('×', ranks)}: {actual}, not {large} or nearly {usual}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static Tensor<double> Times(Tensor<double> kernel, int power)
    {
        Tensor<double> scaled = kernel.Clone();
        foreach (ref double value in scaled.Values)
            value = Math.ScaleB(value, power);
        return scaled;
    }

    private static Tensor<double> Kernel(string name)
    {
        Tensor<double> noise = Some.Noise(Extents, 3),
            kernel = new(Extents);
        for (int at = 0; at < kernel.Shape.ElementCount; at++)
            kernel.Values[at] = (float)Kernels[name](at / 45, at / 9 % 5, at / 3 % 3, at % 3, noise.Values[at]);
        return kernel;
    }

    /// <summary>‖x - y‖ / ‖x‖ by plain loops, 0 for two tensors of zeros.</summary>
    private static double Distance(Tensor<double> x, Tensor<double> y)
    {
        double unit = x.Values.ToArray().Max(Math.Abs),
            gap = 0,
            norm = 0;
        unit = unit > 0 ? unit : 1;
        for (int k = 0; k < x.Shape.ElementCount; k++)
        {
            gap += Math.Pow((x.Values[k] - y.Values[k]) / unit, 2);
            norm += Math.Pow(x.Values[k] / unit, 2);
        }
        return gap == 0 ? 0 : Math.Sqrt(gap / norm);
    }
}
