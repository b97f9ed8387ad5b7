using Tensorial.Analysis;
using Tensorial.Reports.Sections;

namespace Tensorial.Reports;

/// <summary>
/// The report of an analysis. Each section is a function from what was found to blocks; a report of something else is another list of
/// sections.
/// </summary>
internal static class AnalysisPage
{
    public static Report From(AnalysisReport analysis)
    {
        Findings findings = new(analysis);
        return new(
            analysis.Provenance.Model.Name,
            "Compressibility report",
            [
                SummarySection.Of(findings),
                .. analysis.Layers.Count > 0 ? (Section[])[CutsSection.Of(findings), SpectraSection.Of(findings)] : [],
                .. analysis.Truncations.Count > 0 ? (Section[])[AccuracySection.Of(findings)] : [],
                .. analysis.Layers.Count > 0 ? (Section[])[LayersSection.Of(findings)] : [],
                TablesSection.Of(findings),
                ProvenanceSection.Of(analysis),
            ]
        );
    }
}
