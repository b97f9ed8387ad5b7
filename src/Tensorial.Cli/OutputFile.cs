using System.Reflection;

namespace Tensorial.Cli;

/// <summary>Files a command will write at its end.</summary>
internal static class OutputFile
{
    /// <summary>Fails now where writing would fail after the work is done.</summary>
    /// <param name="file">What will be written; null for nothing.</param>
    /// <param name="others">What else the command reads or writes (<see cref="PathRoles"/>).</param>
    /// <exception cref="IOException">The folder does not exist, or there is a folder where the file should be.</exception>
    /// <exception cref="UsageException">The file is one of the others, or lies in one.</exception>
    public static void Check(FileInfo? file, params ReadOnlySpan<string> others)
    {
        if (file is null)
            return;
        foreach (string other in others)
            PathRoles.Check(file.FullName, other);
        if (Directory.Exists(file.FullName))
            throw new IOException($"Cannot write '{file}': it is a folder.");
        if (file.Directory is { Exists: false } folder)
            throw new IOException($"Cannot write '{file}': the folder {folder.FullName} does not exist.");
    }

    /// <summary>Fails now where a folder of results cannot be made after the work is done.</summary>
    /// <exception cref="IOException">There is a file where the folder should be.</exception>
    public static void Check(DirectoryInfo? folder)
    {
        if (folder is not null && File.Exists(folder.FullName))
            throw new IOException($"Cannot write into '{folder}': it is a file, where a folder is needed.");
    }
}

/// <summary>The program's own version.</summary>
internal static class ToolVersion
{
    public static string Text { get; } =
        typeof(ToolVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "unknown";
}
