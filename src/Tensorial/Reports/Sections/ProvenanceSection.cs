using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;

namespace Tensorial.Reports.Sections;

/// <summary>Where the numbers come from, and how to get them again.</summary>
internal static class ProvenanceSection
{
    public static Section Of(AnalysisReport analysis)
    {
        Provenance p = analysis.Provenance;
        List<Definition> items =
        [
            new(
                "Model",
                Prose.From($"{Prose.Code(p.Model.Name)}, {Numbers.Count(p.Model.Bytes)} bytes, graph {Prose.Code(analysis.Model.Name)}")
            ),
            new("SHA-256", Prose.From($"{Prose.Code(p.Model.Sha256)}")),
            new("Images", Use(p.Data, "none: spectra only")),
        ];
        if (p.Calibration is not null)
            items.Add(new("Recalibration", Use(p.Calibration, "")));
        items.AddRange(Origin(p));
        if (p.Shard is { } shard)
            items.Insert(items.Count - 2, new("Shard", shard));
        items.Insert(
            items.Count - 2,
            new("Measurements", $"{Numbers.Count(analysis.Truncations.Count)} of {Numbers.Count(analysis.PlannedTruncations)} planned")
        );
        return new(
            "provenance",
            "Provenance",
            [
                new Definitions([.. items]),
                new Paragraph("The JSON file beside this report holds every number in full precision, the CSV files hold them as tables."),
            ]
        );
    }

    public static Section Of(CompressionResult result)
    {
        Provenance p = result.Provenance;
        List<Definition> items =
        [
            new("Model", Prose.From($"{Prose.Code(p.Model.Name)}, {Numbers.Count(p.Model.Bytes)} bytes")),
            new("SHA-256", Prose.From($"{Prose.Code(p.Model.Sha256)}")),
            new("Targets", result.Targets.IsEmpty ? "those of a plan" : string.Join(", ", result.Targets)),
            new("Images", Use(p.Data, "none: the outputs were compared on random ones")),
        ];
        if (p.Calibration is not null)
            items.Add(new("Calibration", Use(p.Calibration, "")));
        items.AddRange(Origin(p));
        return new("provenance", "Provenance", [new Definitions([.. items])]);
    }

    public static Section Of(FormatComparison comparison)
    {
        Provenance p = comparison.Provenance;
        List<Definition> items =
        [
            new("Model", Prose.From($"{Prose.Code(p.Model.Name)}, {Numbers.Count(p.Model.Bytes)} bytes")),
            new("SHA-256", Prose.From($"{Prose.Code(p.Model.Sha256)}")),
            new("Images", Use(p.Data, "none: errors of kernels only")),
        ];
        if (p.Calibration is not null)
            items.Add(new("Calibration", Use(p.Calibration, "")));
        items.AddRange(Origin(p));
        return new("provenance", "Provenance", [new Definitions([.. items])]);
    }

    public static Section Of(TrainingReport training)
    {
        Provenance p = training.Provenance;
        List<Definition> items =
        [
            new("Network", Prose.From($"{Prose.Code(p.Model.Name)}, {Numbers.Count(p.Model.Bytes)} bytes")),
            new("SHA-256", Prose.From($"{Prose.Code(p.Model.Sha256)}")),
            new("Images", Use(training.Images, "")),
            new("Tested on", Use(p.Data, "nothing")),
        ];
        items.AddRange(Origin(p));
        return new("provenance", "Provenance", [new Definitions([.. items])]);
    }

    /// <summary>What made the numbers: command, program, machine, date.</summary>
    private static IEnumerable<Definition> Origin(Provenance p)
    {
        yield return new("Command", Prose.From($"{Prose.Code(p.CommandLine)}"));
        yield return new("Program", Prose.From($"{p.Tool} {p.Version}, seed {p.Seed.ToString(CultureInfo.InvariantCulture)}"));
        yield return new(
            "Machine",
            $"{p.Machine.Os}, {p.Machine.Runtime}, {Numbers.Count(p.Machine.Threads)} of {Numbers.Count(p.Machine.Processors)} processors used"
        );
        yield return new(
            "Date",
            p.Date.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)
                + ", took "
                + Numbers.Duration(p.Seconds)
        );
    }

    private static Prose Use(DataUse? data, string none) =>
        data is null
            ? none
            : Prose.From(
                $"{Prose.Code(data.Description)}, {data.Split} split, {Numbers.Count(data.Samples)} images, fingerprint {Prose.Code(data.Fingerprint)}"
            );
}
