namespace Tensorial;

/// <summary>What gzip, ZIP and PNG have in common.</summary>
internal static class Deflate
{
    /// <summary>
    /// A pair of codes takes at least two bits and gives at most 258 bytes: no packed stream grows by more than this factor (RFC 1951).
    /// </summary>
    public const long MostExpansion = 1032;
}
