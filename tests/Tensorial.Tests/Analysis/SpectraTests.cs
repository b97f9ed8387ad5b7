using Tensorial.Analysis;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Analysis;

public class SpectraTests
{
    /// <summary>Shapes that take every path: channels merged or not, axes of extent 1, tall and wide, other orders.</summary>
    public static TheoryData<string, int[]> Kernels =>
        new()
        {
            { "oihw", [8, 6, 3, 3] },
            { "oihw", [2, 3, 5, 5] },
            { "oihw", [16, 1, 3, 3] },
            { "oihw", [7, 5, 1, 1] },
            { "oihw", [7, 5, 1, 3] },
            { "oihw", [5, 1, 1, 1] },
            { "oihw", [1, 1, 1, 1] },
            { "iohw", [4, 9, 2, 3] },
            { "oiw", [6, 4, 5] },
            { "oidhw", [5, 4, 2, 3, 2] },
            { "io", [12, 7] },
        };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Shared_work_gives_what_each_matrix_gives_alone(string axes, int[] extents)
    {
        Kernel kernel = RandomKernels.Of(axes, Shape.From(extents));
        IReadOnlyList<Cut> cuts = Cut.All(axes);
        foreach ((Cut cut, CutSpectrum spectrum) in cuts.Zip(Spectra.Of(kernel, cuts, Workers.Serial)))
        {
            Tensor<double> matrix = RandomKernels.Matrix(kernel.Values, axes, cut);
            double[] expected = Svd.Thin(matrix).Values;
            Assert.Equal((cut.ToString(), matrix.Shape[0], matrix.Shape[1]), (spectrum.Cut, spectrum.Rows, spectrum.Columns));
            Assert.Equal(expected.Length, spectrum.SingularValues.Count);
            for (int k = 0; k < expected.Length; k++)
                Assert.Equal(expected[k], spectrum.SingularValues[k], 1e-13 * expected[0]);
        }
    }

    [Fact]
    public void A_kernel_of_known_rank_shows_it()
    {
        Kernel rank = Kernel.From(
            "kernel",
            "oihw",
            new TruncationLadder(RandomKernels.Of("oihw", [8, 6, 3, 3]), Cut.Parse("oh|iw"), Workers.Serial).At(5).Values
        );
        CutSpectrum spectrum = Spectra.Of(rank, [Cut.Parse("oh|iw")], Workers.Serial)[0];
        Assert.Equal(5, spectrum.SingularValues.Count(value => value > 1e-13 * spectrum.SingularValues[0]));
    }

    [Fact]
    public void Every_kernel_is_announced_once()
    {
        Kernel[] kernels = [RandomKernels.Of("oihw", [4, 3, 3, 3]), RandomKernels.Of("oihw", [2, 2, 1, 1]), RandomKernels.Of("oi", [1, 1])];
        List<int> announced = [];
        Spectra.Of([.. kernels.Select(kernel => (kernel, Cut.All(kernel.Axes)))], Workers.Serial, (place, _) => announced.Add(place));
        Assert.Equal([0, 1, 2], announced.Order());
    }
}
