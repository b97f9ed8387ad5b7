namespace Tensorial.Tests.Data;

/// <summary>A failure whose words matter: they are what the user sees.</summary>
internal static class Refusal
{
    /// <summary>Runs what must fail with this exception, or one derived from it, and these words somewhere in its message.</summary>
    public static void Says<T>(string words, Func<object?> act)
        where T : Exception => Assert.Contains(words, Assert.ThrowsAny<T>(act).Message, StringComparison.Ordinal);
}
