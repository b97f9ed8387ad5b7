namespace Tensorial;

/// <summary>What somebody who misspelt a word most likely meant.</summary>
internal static class NearestWord
{
    /// <summary>The candidate that is fewest edits away from a word (Damerau-Levenshtein distance, or begins with it); null where none is near.</summary>
    public static string? Find(string word, IEnumerable<string> candidates)
    {
        string lower = word.ToLowerInvariant();
        (string? best, int least) = (null, int.MaxValue);
        foreach (string candidate in candidates.Distinct())
        {
            string other = candidate.ToLowerInvariant();
            // A word that was cut short is nearer than one with a wrong letter.
            int distance =
                lower.TrimStart('-').Length > 2 && other.StartsWith(lower, StringComparison.Ordinal) ? 1 : Distance(lower, other);
            if (distance < least && distance <= Math.Max(1, Math.Min(lower.Length, other.Length) / 3))
                (best, least) = (candidate, distance);
        }
        return best;
    }

    /// <summary>The end of a message about a word that is not known: the one that was meant, where it can be guessed.</summary>
    public static string Hint(string word, IEnumerable<string> candidates) =>
        Find(word, candidates) is { } meant ? $" Did you mean {meant}?" : "";

    /// <summary>The same as a question before more of a sentence.</summary>
    public static string Question(string word, IEnumerable<string> candidates) =>
        Find(word, candidates) is { } meant ? $"did you mean {meant}? " : "";

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that make one word of the other.</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        for (int j = 1; j <= b.Length; j++)
        {
            int cost = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
        }
        return d[a.Length, b.Length];
    }
}
