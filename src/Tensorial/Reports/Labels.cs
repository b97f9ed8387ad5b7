using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>
/// Short names of kernels for charts and maps: what all names begin and end with is left out. Tables keep the whole names.
/// </summary>
internal static class Labels
{
    /// <summary>One for each name, in order; the names themselves where shortening would leave nothing or make two alike.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> names)
    {
        if (names.Distinct().Skip(1).FirstOrDefault() is null)
            return names;
        int start = Common(names, static (name, k) => name[k]),
            end = Common(names, static (name, k) => name[^(k + 1)]);
        // Whole words only: the letters that layer1 and layer2 share are not a prefix.
        while (start > 0 && !IsSeparator(names[0][start - 1]))
            start--;
        while (end > 0 && !IsSeparator(names[0][^end]))
            end--;
        return names.All(name => name.Length > start + end) ? [.. names.Select(name => name[start..^end])] : names;
    }

    public static IReadOnlyList<string> Of(ValueList<LayerAnalysis> layers) => Of([.. layers.Select(static layer => layer.Name)]);

    private static int Common(IReadOnlyList<string> names, Func<string, int, char> at)
    {
        int shortest = names.Min(static name => name.Length),
            k = 0;
        while (k < shortest && names.All(name => at(name, k) == at(names[0], k)))
            k++;
        return k;
    }

    private static bool IsSeparator(char letter) => letter is '.' or '/' or ':' or '_';
}
