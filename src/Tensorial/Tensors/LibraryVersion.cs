using System.Reflection;

namespace Tensorial;

/// <summary>The version of this library: what results, stores and checkpoints say of who wrote them.</summary>
internal static class LibraryVersion
{
    public static string Text { get; } =
        typeof(LibraryVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "unknown";
}
