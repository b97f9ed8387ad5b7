namespace Tensorial.Compression;

/// <summary>What counts beside the targets.</summary>
public enum Objective
{
    /// <summary>Least damage within the targets; time does not count, and the result does not depend on the machine.</summary>
    Size,

    /// <summary>The same among forms that are measured no slower than their dense layer.</summary>
    Balanced,

    /// <summary>The same among forms that are measured faster by a fifth at least.</summary>
    Speed,
}

/// <summary>Objectives by name.</summary>
internal static class Objectives
{
    /// <summary>The time of a form over that of its dense layer, at most; null where time does not count.</summary>
    public static double? LongestRatio(this Objective objective) =>
        objective switch
        {
            Objective.Size => null,
            Objective.Balanced => 1,
            _ => 0.8,
        };

    /// <summary>The objective of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static Objective Parse(string text) =>
        Enum.GetValues<Objective>().Cast<Objective?>().FirstOrDefault(objective => Name(objective!.Value) == text)
        ?? throw new BadInputException(
            $"'{text}' is no objective; there are {string.Join(", ", Enum.GetValues<Objective>().Select(Name))}."
        );

    private static string Name(Objective objective) => objective.ToString().ToLowerInvariant();
}
