using System.Globalization;
using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

/// <summary>Formats given as equations.</summary>
public sealed class EquationFormatTests
{
    /// <summary>A kernel made of random factors by NumPy's einsum.</summary>
    private const string Make = """
        import numpy, sys
        equation, path = sys.argv[1], sys.argv[2]
        sizes = dict((part[0], int(part[1:])) for part in sys.argv[3].split(","))
        random = numpy.random.default_rng(3)
        inputs = equation.split("->")[0].split(",")
        numpy.save(path, numpy.einsum(equation, *[random.normal(size=[sizes[a] for a in axes]) for axes in inputs]))
        """;

    /// <summary>What another equation makes of the factors that were fitted.</summary>
    private const string Check = """
        import numpy, sys
        factors = [numpy.load(path) for path in sys.argv[3:]]
        kernel = numpy.load(sys.argv[2])
        print(numpy.linalg.norm(numpy.einsum(sys.argv[1], *factors) - kernel) / numpy.linalg.norm(kernel))
        """;

    [Theory]
    [InlineData("ri,srhw,os->oihw", "tucker2")]
    [InlineData("bo,abhw,ai->oihw", "tucker2")]
    [InlineData("or,rihw->oihw", "svd-out")]
    [InlineData("ri,rh,rw,or->oihw", "cp")]
    [InlineData("xo,xi,xhw->oihw", "cp3")]
    [InlineData("ri,srh,tsw,ot->hwio", "tt")]
    [InlineData("uri,srh,tsw,out->oihw", "tr")]
    public void Equations_of_named_formats_are_these(string equation, string name) =>
        Assert.Equal(name, KernelFormat.FromEquation(equation).Name);

    /// <summary>A kernel that has the form is found again, to rounding where the factors make a tree.</summary>
    [OracleTheory(Oracle.NumPy)]
    [InlineData("ri,sr,shw,os->oihw", "o8,i6,h3,w3,r4,s3", 1e-6)]
    [InlineData("ri,srh,ows->oihw", "o8,i6,h3,w3,r3,s4", 1e-6)]
    [InlineData("ri,rsh,rsw,ors->oihw", "o10,i6,h3,w3,r2,s2", 2e-2)]
    public void A_kernel_of_the_form_is_found_again(string equation, string sizes, double tolerance)
    {
        using Data.TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "kernel.npy");
        Oracles.RunPython(Make, equation, path, sizes);
        Tensor<double> kernel = (Tensor<double>)NpyFile.Read(path);
        KernelFormat format = KernelFormat.FromEquation(equation);
        KernelForm form = KernelForm.From(format, kernel.Shape);
        Dictionary<char, int> extents = sizes
            .Split(',')
            .ToDictionary(static part => part[0], static part => int.Parse(part[1..], CultureInfo.InvariantCulture));
        TensorFactors<double> fit = KernelFactorization.Fit(
            kernel,
            format,
            [.. form.Tensor.Bonds.Select(bond => extents[bond])],
            options: new(Iterations: 2000, Tolerance: 1e-9)
        );
        string[] files = [.. fit.Factors.Select((_, k) => Path.Combine(folder.Path, $"{k}.npy"))];
        foreach ((Tensor<double> factor, string file) in fit.Factors.Zip(files))
            NpyFile.Write(factor, file);
        double error = double.Parse(
            Oracles.RunPython(Check, [form.Tensor.Equation.ToString(), path, .. files]),
            CultureInfo.InvariantCulture
        );
        Assert.InRange(error, 0, tolerance);
        Assert.Equal(error, fit.RelativeError, 1e-6);
    }

    [Theory]
    [InlineData("ri,or->oi", "axes oihw")]
    [InlineData("oihw->oihw", "one factor")]
    [InlineData("ri,rhw->oihw", "o")]
    [InlineData("ori,orhw->oihw", "o stands in 2 factors")]
    [InlineData("rihw,ort->oihw", "bond t")]
    [InlineData("rri,orhw->oihw", "twice")]
    [InlineData("gihw,og->oihw", "groups")]
    [InlineData("...rihw,or->...oihw", "ellipsis")]
    public void What_is_no_format_is_refused(string equation, string named) =>
        Assert.Contains(named, Assert.Throws<BadInputException>(() => KernelFormat.FromEquation(equation)).Message);

    [Fact]
    public void A_format_is_read_back_from_its_name()
    {
        KernelFormat format = KernelFormat.Parse("os,ri,sr,shw->oihw");
        Assert.Equal("ri,sr,shw,os->oihw", format.ToString());
        Assert.Equal(format, KernelFormat.Parse(format.ToString()));
    }
}
