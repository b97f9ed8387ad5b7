namespace Tensorial.Compression;

/// <summary>What counts beside the targets.</summary>
public enum Objective
{
    /// <summary>Least damage within the targets; time does not count, and the result does not depend on the machine.</summary>
    Size,

    /// <summary>The damage of a form that is measured slower than its dense layer counts more: times the fourth power of the ratio.</summary>
    Balanced,

    /// <summary>No form is taken that is measured slower than its dense layer.</summary>
    Speed,
}

/// <summary>Objectives by name.</summary>
internal static class Objectives
{
    /// <summary>The objective of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static Objective Parse(string text) =>
        Enum.GetValues<Objective>().Cast<Objective?>().FirstOrDefault(objective => Name(objective!.Value) == text)
        ?? throw new BadInputException(
            $"'{text}' is no objective; there are {string.Join(", ", Enum.GetValues<Objective>().Select(Name))}.{NearestWord.Hint(text, Enum.GetValues<Objective>().Select(Name))}"
        );

    private static string Name(Objective objective) => objective.ToString().ToLowerInvariant();
}
