namespace Tensorial;

/// <summary>Files that appear whole or not at all: written beside, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file through <paramref name="write"/>. On failure the former file, if any, is untouched and nothing is left behind.
    /// A link stays, and what it points at is written; a device such as <c>/dev/stdout</c> is written to, never replaced.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be written; the message names the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new IOException($"Cannot write '{path}': it is a folder.");
        // /dev/stdout is itself a link, to what may have no path; only files are followed.
        if (!IsDevice(full))
            full = Target(full);
        if (IsDevice(full))
        {
            WriteInto(full, write);
            return;
        }
        string beside = $"{full}.{Environment.ProcessId}.{Guid.NewGuid():N}.partial";
        try
        {
            using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write))
                write(stream);
            File.Move(beside, full, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write '{path}': {error.Message.Replace(beside, full)}", error);
        }
        finally
        {
            if (File.Exists(beside))
                File.Delete(beside);
        }
    }

    /// <summary>The full path of what a path leads to in the end, through links; the file need not exist.</summary>
    /// <exception cref="IOException">The links go in circles.</exception>
    public static string Target(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName
            : Path.GetFullPath(path);

    /// <summary>
    /// Renaming over a device would take it from everybody. .NET does not tell a file's kind, so its place does: all that lies in /dev, but
    /// for the memory file system there, and the open files in /proc.
    /// </summary>
    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows()
        && (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal))
        && !path.StartsWith("/dev/shm/", StringComparison.Ordinal)
        && File.Exists(path);

    private static void WriteInto(string device, Action<Stream> write)
    {
        try
        {
            using FileStream stream = new(device, FileMode.Open, FileAccess.Write);
            write(stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write '{device}': {error.Message}", error);
        }
    }
}
