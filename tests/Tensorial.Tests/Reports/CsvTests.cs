using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Reports;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

public class CsvTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("comma,", "\"comma,\"")]
    [InlineData("quo\"te", "\"quo\"\"te\"")]
    [InlineData("line\nbreak", "line\\u000Abreak")]
    [InlineData(" space ", "\" space \"")]
    [InlineData("", "")]
    public void Fields_are_quoted_where_they_must(string text, string field)
    {
        using StringWriter writer = new();
        CsvWriter.Write(
            new Table(
                [new("name", "", CellFormat.Text)],
                [
                    [text],
                ]
            ),
            writer
        );
        Assert.Equal($"name\r\n{field}\r\n", writer.ToString());
    }

    [Fact]
    public void Reading_the_files_gives_every_number_back()
    {
        AnalysisReport analysis = MadeUp.Named(["a,\"b\"\r\nc", "conv2"]);
        using TemporaryFolder folder = new();
        IReadOnlyList<string> files = CsvWriter.Write(analysis, Path.Combine(folder.Path, "made"));
        Assert.Equal(["spectra.csv", "cuts.csv", "truncations.csv", "tolerance.csv"], files.Select(Path.GetFileName));

        List<Dictionary<string, string>> spectra = Read(files[0]);
        Assert.Equal(
            analysis.Layers.SelectMany(static l => l.Cuts).SelectMany(static c => c.SingularValues),
            spectra.Select(static row => Number(row["singularValue"]))
        );
        Assert.Equal(
            analysis.Layers.SelectMany(static l => l.Cuts, static (l, c) => (Shown(l.Name), c.Cut)).Distinct(),
            spectra.Select(static row => (row["layer"], row["cut"])).Distinct()
        );

        List<Dictionary<string, string>> cuts = Read(files[1]);
        foreach ((CutSpectrum cut, Dictionary<string, string> row) in analysis.Layers.SelectMany(static l => l.Cuts).Zip(cuts))
        {
            Assert.Equal(cut.Entropy, Number(row["entropy"]));
            // p = s² / Σ s², as docs/analysis.md has it.
            double[] p = [.. cut.SingularValues.Select(value => value * value / cut.SingularValues.Sum(static s => s * s))];
            Assert.Equal(1 / p.Sum(static part => part * part), Number(row["participationRatio"]), 1e-9);
            Assert.Equal(p[0] - p[1], Number(row["schmidtGap"]), 1e-12);
            Assert.Equal(cut.RankFor(0.1), Number(row["rankForNormLoss0.1"]));
            Assert.Equal(cut.BreakEvenRank, Number(row["breakEvenRank"]));
        }

        List<Dictionary<string, string>> truncations = Read(files[2]);
        foreach ((TruncationResult truncation, Dictionary<string, string> row) in analysis.Truncations.Zip(truncations))
        {
            Assert.Equal(Shown(truncation.Layer), row["layer"]);
            Assert.Equal(truncation.NormLoss, Number(row["normLoss"]));
            Assert.Equal(truncation.Top1, Number(row["top1"]));
            Assert.Equal(truncation.Recalibrated?.Top1, row["recalibratedTop1"].Length > 0 ? Number(row["recalibratedTop1"]) : null);
        }
    }

    [Fact]
    public void Norm_losses_in_spectra_are_those_of_keeping_so_many_values()
    {
        AnalysisReport analysis = MadeUp.Named(["conv"], withData: false);
        CutSpectrum cut = analysis.Layers[0].Cuts[0];
        using TemporaryFolder folder = new();
        foreach (Dictionary<string, string> row in Read(CsvWriter.Write(analysis, folder.Path)[0]).Where(row => row["cut"] == cut.Cut))
            Assert.Equal(cut.NormLoss((int)Number(row["index"])), Number(row["normLoss"]), 1e-15);
    }

    /// <summary>A name with its control characters escaped, as tables show it.</summary>
    private static string Shown(string name) => name.Replace("\r\n", "\\u000D\\u000A", StringComparison.Ordinal);

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>A reader of RFC 4180, letter by letter.</summary>
    private static List<Dictionary<string, string>> Read(string path)
    {
        List<List<string>> rows =
        [
            [],
        ];
        string text = File.ReadAllText(path),
            field = "";
        bool quoted = false;
        for (int k = 0; k < text.Length; k++)
        {
            char letter = text[k];
            if (quoted && letter == '"' && k + 1 < text.Length && text[k + 1] == '"')
                (field, k) = (field + '"', k + 1);
            else if (letter == '"')
                quoted = !quoted;
            else if (quoted)
                field += letter;
            else if (letter is ',' or '\r')
            {
                rows[^1].Add(field);
                field = "";
                if (letter == '\r')
                {
                    Assert.Equal('\n', text[++k]);
                    rows.Add([]);
                }
            }
            else
                field += letter;
        }
        Assert.Empty(rows[^1]);
        return
        [
            .. rows.Skip(1).SkipLast(1).Select(row => rows[0].Zip(row).ToDictionary(static pair => pair.First, static pair => pair.Second)),
        ];
    }
}
