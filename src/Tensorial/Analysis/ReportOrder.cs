namespace Tensorial.Analysis;

/// <summary>The order in which reports list truncations, whatever order they were measured, resumed or merged in.</summary>
internal static class ReportOrder
{
    /// <summary>
    /// By layer as in the network, all of them last; single cuts in their customary order before sequences; from much truncated to little.
    /// </summary>
    public static ValueList<TruncationResult> Arrange(IEnumerable<TruncationResult> results, IReadOnlyList<string> layers)
    {
        Dictionary<string, int> places = [];
        for (int place = 0; place < layers.Count; place++)
            places.TryAdd(layers[place], place);
        return
        [
            .. from result in results
            orderby places.GetValueOrDefault(result.Layer, layers.Count), result.Cut.Count(static c => c == ','), result.Cut.IndexOf(
                '|'
            ), CutPlace(result.Cut), result.NormLoss descending, result.Rank, result.Rule
            select result,
        ];
    }

    /// <summary>Channels before space, as cuts are listed everywhere.</summary>
    private static string CutPlace(string cut) =>
        string.Concat(cut.Select(static axis => "oidhw".IndexOf(axis) is >= 0 and int place ? (char)('0' + place) : axis));
}
