using Tensorial.Analysis;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Analysis;

/// <summary>The laws of truncation (arXiv 2403.14379 and docs/analysis.md).</summary>
public class TruncationTests
{
    private static readonly Kernel Four = RandomKernels.Of("oihw", [8, 6, 3, 3]);

    public static TheoryData<string> AllCuts => [.. Cut.All("oihw").Select(static cut => cut.ToString())];

    [Theory]
    [MemberData(nameof(AllCuts))]
    public void The_error_is_the_tail_of_the_spectrum(string text)
    {
        Cut cut = Cut.Parse(text);
        CutSpectrum spectrum = Spectra.Of(Four, [cut], Workers.Serial)[0];
        TruncationLadder ladder = new(Four, cut, Workers.Serial);
        for (int rank = 1; rank <= spectrum.MaxRank; rank++)
        {
            Truncation truncation = ladder.At(rank);
            Assert.Equal(spectrum.NormLoss(rank), truncation.Account.NormLoss, 1e-12);
            Assert.Equal(spectrum.RelativeNormLoss(rank), truncation.Account.RelativeNormLoss, 1e-12);
            Assert.Equal(rank, Rank(truncation.Values, "oihw", cut));
            Assert.Equal(
                Math.Min(Four.Values.Shape.ElementCount, rank * (long)(spectrum.Rows + spectrum.Columns)),
                truncation.Account.Parameters
            );
        }
    }

    /// <summary>A resumed sweep asks for some of the ranks only.</summary>
    [Fact]
    public void Ranks_asked_for_before_change_no_bit()
    {
        Cut cut = Cut.Parse("oh|iw");
        TruncationLadder ladder = new(Four, cut, Workers.Serial);
        foreach (int rank in (int[])[9, 2, 17, 5])
            Assert.Equal(new TruncationLadder(Four, cut, Workers.Serial).At(rank).Values.Values, ladder.At(rank).Values.Values);
    }

    [Fact]
    public void Full_rank_changes_no_bit()
    {
        foreach (Cut cut in Cut.All("oihw"))
            Assert.Equal(Four.Values.Values, new TruncationLadder(Four, cut, Workers.Serial).At(int.MaxValue).Values.Values);
    }

    [Fact]
    public void A_norm_loss_takes_the_smallest_rank_within_it()
    {
        foreach (Cut cut in Cut.All("oihw"))
        {
            CutSpectrum spectrum = Spectra.Of(Four, [cut], Workers.Serial)[0];
            Truncation truncation = Truncation.From(Four, [new(cut, new RankRule.NormLoss(0.4))], Workers.Serial);
            Assert.True(truncation.Account.NormLoss <= 0.4);
            Assert.True(truncation.Account.Ranks[0] == 1 || spectrum.NormLoss(truncation.Account.Ranks[0] - 1) > 0.4);
        }
    }

    /// <summary>
    /// Truncating the single modes in turn is ST-HOSVD: the projection of what is left on the leading left vectors of each mode.
    /// </summary>
    [Fact]
    public void Four_single_mode_cuts_are_the_sequentially_truncated_hosvd()
    {
        (char Axis, int Rank)[] modes = [('o', 4), ('i', 3), ('h', 2), ('w', 2)];
        Truncation truncation = Truncation.From(Four, CutStep.ParseSequence("o|ihw:4,i|ohw:3,h|oiw:2,w|oih:2"), Workers.Serial);

        Tensor<double> core = Four.Values;
        List<Tensor<double>> factors = [];
        foreach ((char axis, int rank) in modes)
        {
            Tensor<double> left = Leading(RandomKernels.Matrix(core, "oihw", Cut.Parse($"{axis}|{"oihw".Replace($"{axis}", "")}")), rank);
            factors.Add(left);
            core = ModeProduct(core, "oihw".IndexOf(axis), left, transpose: true);
        }
        Assert.Equal([4, 3, 2, 2], core.Shape);
        for (int mode = 0; mode < 4; mode++)
            core = ModeProduct(core, mode, factors[mode], transpose: false);

        Assert.True(RandomKernels.Distance(core, truncation.Values) < 1e-12 * Four.Norm);
        Assert.False(truncation.Account.Crossing);
        Assert.Equal([4, 3, 2, 2], truncation.Account.RanksAfter);
        Assert.Equal(4 * 3 * 2 * 2 + 8 * 4 + 6 * 3 + 3 * 2 + 3 * 2, truncation.Account.Parameters);
    }

    /// <summary>Truncating nested cuts in turn is TT-SVD: matrices split off from the left, the rest carried on.</summary>
    [Fact]
    public void Nested_cuts_are_the_tensor_train()
    {
        Truncation truncation = Truncation.From(Four, CutStep.ParseSequence("o|ihw:4,oi|hw:5,w|oih:2"), Workers.Serial);

        Tensor<double> rest = Four.Values.As([8, 54]);
        List<Tensor<double>> cores = [];
        int[] extents = [8, 6, 3, 3],
            ranks = [4, 5, 2];
        for (int k = 0; k < 3; k++)
        {
            Tensor<double> left = Leading(rest, ranks[k]);
            cores.Add(left);
            Tensor<double> carried = Multiply(Transpose(left), rest);
            rest = k < 2 ? carried.As([ranks[k] * extents[k + 1], carried.Shape[1] / extents[k + 1]]) : carried;
        }
        Tensor<double> train = rest;
        for (int k = 2; k >= 0; k--)
        {
            Tensor<double> product = Multiply(cores[k], train);
            train = k > 0 ? product.As([ranks[k - 1], product.Shape.ElementCount / ranks[k - 1]]) : product;
        }

        Assert.True(RandomKernels.Distance(train.As([8, 6, 3, 3]), truncation.Values) < 1e-12 * Four.Norm);
        Assert.False(truncation.Account.Crossing);
        Assert.Equal([4, 5, 2], truncation.Account.RanksAfter);
        Assert.Equal(8 * 4 + 4 * 6 * 5 + 5 * 3 * 2 + 2 * 3, truncation.Account.Parameters);
    }

    [Theory]
    [InlineData("oi|hw:3,oh|iw:4")]
    [InlineData("oh|iw:4,ow|ih:5")]
    public void Crossing_cuts_raise_earlier_ranks_again_and_say_so(string sequence)
    {
        Truncation truncation = Truncation.From(Four, CutStep.ParseSequence(sequence), Workers.Serial);
        Assert.True(truncation.Account.Crossing);
        Assert.True(truncation.Account.RanksAfter[0] > truncation.Account.Ranks[0]);
        Assert.Equal(truncation.Account.Ranks[1], truncation.Account.RanksAfter[1]);
        Assert.Equal(Four.Values.Shape.ElementCount, truncation.Account.Parameters);
    }

    [Theory]
    [InlineData("o|ihw:3,i|ohw:2,oi|hw:4")]
    [InlineData("oi|hw:4,o|ihw:3,i|ohw:2")]
    [InlineData("w|oih:1,h|oiw:2,o|ihw:5")]
    [InlineData("oi|hw:3,oh|iw:4")]
    public void The_error_of_a_sequence_is_at_most_the_discarded_weights_together(string text)
    {
        ValueList<CutStep> steps = CutStep.ParseSequence(text);
        double discarded = steps.Sum(step =>
        {
            CutSpectrum spectrum = Spectra.Of(Four, [step.Cut], Workers.Serial)[0];
            return Math.Pow(spectrum.NormLoss(step.Rule.RankAt(spectrum)), 2);
        });
        Assert.True(Math.Pow(Truncation.From(Four, steps, Workers.Serial).Account.NormLoss, 2) <= discarded * (1 + 1e-12));
    }

    [Fact]
    public void A_kernel_of_zeros_stays_zero_without_a_loss()
    {
        Kernel zeros = Kernel.From("zeros", "oihw", new Tensor<float>([4, 3, 2, 2]));
        foreach (CutSpectrum spectrum in Spectra.Of(zeros, Cut.All("oihw"), Workers.Serial))
            Assert.Equal(0, spectrum.RankFor(0.1));
        foreach (Cut cut in Cut.All("oihw"))
        {
            Truncation truncation = Truncation.From(zeros, [new(cut, new RankRule.Rank(1))], Workers.Serial);
            Assert.Equal((0, 0), (truncation.Account.NormLoss, truncation.Account.RelativeNormLoss));
            Assert.All(truncation.Values.Values.ToArray(), static value => Assert.Equal(0, value));
        }
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float64)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.BFloat16)]
    public void The_type_stored_comes_back(ElementType type)
    {
        Kernel kernel = Kernel.From("kernel", "oihw", RandomKernels.Values([4, 3, 3, 3], 2).To(type));
        Truncation truncation = new TruncationLadder(kernel, Cut.Parse("o|ihw"), Workers.Serial).At(2);
        Tensor stored = kernel.Store(truncation.Values);
        Assert.Equal(type, stored.ElementType);
        double error = RandomKernels.Distance(truncation.Values, stored.To(ElementType.Float64).Of<double>()) / kernel.Norm;
        Assert.True(
            error
                < (
                    type is ElementType.BFloat16 ? 4e-3
                    : type is ElementType.Float16 ? 5e-4
                    : 1e-7
                )
        );
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_refused_by_name(double value)
    {
        Tensor<double> weights = RandomKernels.Values([2, 2], 3);
        weights.Values[1] = value;
        Assert.Contains("fc.weight", Assert.Throws<NumericalException>(() => Kernel.From("fc.weight", "oi", weights)).Message);
    }

    [Fact]
    public void A_cut_of_other_axes_is_refused() =>
        Assert.Throws<BadInputException>(() => Truncation.From(Four, [new(Cut.Parse("o|i"), new RankRule.Rank(1))], Workers.Serial));

    private static int Rank(Tensor<double> tensor, string axes, Cut cut)
    {
        double[] values = Svd.Values(RandomKernels.Matrix(tensor, axes, cut));
        return values.Count(value => value > 1e-12 * values[0]);
    }

    private static Tensor<double> Leading(Tensor<double> matrix, int rank)
    {
        Tensor<double> all = Svd.Thin(matrix).U,
            left = new([all.Shape[0], rank]);
        for (int i = 0; i < all.Shape[0]; i++)
            all.Values.Slice(i * all.Shape[1], rank).CopyTo(left.Values[(i * rank)..]);
        return left;
    }

    private static Tensor<double> Transpose(Tensor<double> a)
    {
        Tensor<double> t = new([a.Shape[1], a.Shape[0]]);
        for (int i = 0; i < a.Shape[0]; i++)
        for (int j = 0; j < a.Shape[1]; j++)
            t.Values[j * a.Shape[0] + i] = a.Values[i * a.Shape[1] + j];
        return t;
    }

    private static Tensor<double> Multiply(Tensor<double> a, Tensor<double> b)
    {
        (int m, int k, int n) = (a.Shape[0], a.Shape[1], b.Shape[1]);
        Tensor<double> c = new([m, n]);
        for (int i = 0; i < m; i++)
        for (int p = 0; p < k; p++)
        for (int j = 0; j < n; j++)
            c.Values[i * n + j] += a.Values[i * k + p] * b.Values[p * n + j];
        return c;
    }

    /// <summary>One mode of a tensor multiplied by a matrix, or by its transpose.</summary>
    private static Tensor<double> ModeProduct(Tensor<double> tensor, int mode, Tensor<double> matrix, bool transpose)
    {
        (int rows, int columns) = (matrix.Shape[0], matrix.Shape[1]);
        int result = transpose ? columns : rows,
            extent = tensor.Shape[mode];
        int outer = tensor.Shape.ElementCountOf(0, mode),
            inner = tensor.Shape.ElementCountOf(mode + 1, tensor.Shape.Rank);
        Tensor<double> product = new(tensor.Shape.With(mode, result));
        for (int a = 0; a < outer; a++)
        for (int r = 0; r < result; r++)
        for (int e = 0; e < extent; e++)
        for (int b = 0; b < inner; b++)
        {
            double weight = transpose ? matrix.Values[e * columns + r] : matrix.Values[r * columns + e];
            product.Values[(a * result + r) * inner + b] += weight * tensor.Values[(a * extent + e) * inner + b];
        }
        return product;
    }
}
