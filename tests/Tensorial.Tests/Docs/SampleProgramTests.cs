using System.Diagnostics;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Docs;

/// <summary>Programs of <c>samples</c>, started as a reader would: <c>dotnet run -c Release samples/x.cs</c>.</summary>
[Collection(nameof(Alone))]
public class SampleProgramTests
{
    /// <summary>The committed study and the program find the same.</summary>
    [OracleFact(Oracle.Patience)]
    public void Truncation_curves_are_those_of_the_study()
    {
        string[][] rows = Rows(Run("truncation.cs", "oi|hw")),
            study = Rows(
                File.ReadAllText(Path.Combine(Oracles.Repository, "experiments", "results", "truncation", "sample", "truncations.csv"))
            );
        Assert.Equal(["layer", "cut", "rank", "normLoss", "parameters", "top1"], rows[0]);
        Dictionary<string, string[]> known = study[1..]
            .Where(static row => row[1] == "oi|hw" && row[0] != "all")
            .ToDictionary(static row => $"{row[0]} {row[3]}");
        string[][] single = [.. rows[1..].Where(static row => row[0] != "all")];
        Assert.Equal(known.Keys.Order(), single.Select(static row => $"{row[0]} {row[2]}").Order());
        foreach (string[] row in single)
        {
            string[] expected = known[$"{row[0]} {row[2]}"];
            Assert.Equal(Number(expected[5]), Number(row[3]), 1e-9);
            Assert.Equal(expected[8], row[4]);
            // Two images of a thousand: other processors round otherwise.
            Assert.Equal(Number(expected[10]), Number(row[5]), 0.002);
        }
    }

    /// <summary>The error of the best rank-r matrix is that of NumPy's singular values (CompareTests); here of the library's.</summary>
    [Fact]
    public void Formats_are_compared_by_their_errors()
    {
        string[][] rows = Rows(
            Run("formats.cs", "0.25", Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"), "svd-out", "cp3")
        );
        Assert.Equal(["format", "conv2.weight", "conv3.weight", "mean"], rows[0]);
        Assert.Equal(["\"svd-out\"", "\"cp3\""], rows[1..].Select(static row => row[0]));
        Graph network = OnnxFile.Read(Sample.Model, "sample");
        foreach ((string name, int column) in ((string, int)[])[("conv2.weight", 1), ("conv3.weight", 2)])
        {
            CutSpectrum spectrum = network.Kernels[name].Spectra("o|ihw")[0];
            int rank = (int)(0.25 * spectrum.Rows * spectrum.Columns / (spectrum.Rows + spectrum.Columns));
            Assert.Equal(spectrum.NormLoss(rank), Number(rows[1][column]), 1e-4);
            Assert.InRange(Number(rows[2][column]), 0.1, Number(rows[1][column]));
        }
    }

    private static string[][] Rows(string csv) =>
        [.. csv.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(','))];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(
            "dotnet",
            ["run", "-c", "Release", Path.Combine(Oracles.Repository, "samples", program), "--", .. arguments]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the runner of the tests says of its own build is not meant for this one.
        foreach (
            string variable in start
                .Environment.Keys.Where(static key => key.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase))
                .ToArray()
        )
            start.Environment.Remove(variable);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output + errors.Result);
        return output;
    }
}
