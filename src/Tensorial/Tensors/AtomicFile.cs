using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Tensorial;

/// <summary>Files that appear whole or not at all: written beside, then renamed.</summary>
internal static class AtomicFile
{
    private const string Extension = ".partial";

    private static readonly ConcurrentDictionary<string, bool> Unfinished = new();

    /// <summary>Tells machines apart that share a folder: what another one is writing is not ours to remove.</summary>
    private static string Host { get; } =
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)).AsSpan(0, 4));

    /// <summary>Removes what this process has not finished writing. For a process about to end at once.</summary>
    public static void RemoveUnfinished()
    {
        foreach (string path in Unfinished.Keys)
            Remove(path);
    }

    /// <summary>
    /// A path beside a file or folder for what will become it. Where this process ends before <see cref="End"/>, whoever writes the same next
    /// removes it.
    /// </summary>
    public static string Begin(string path)
    {
        RemoveLeftovers(Path.GetDirectoryName(path)!, Path.GetFileName(path));
        string beside = Beside(path);
        Unfinished.TryAdd(beside, true);
        return beside;
    }

    /// <summary>Removes what is left of it.</summary>
    public static void End(string beside)
    {
        if (Directory.Exists(beside))
            Directory.Delete(beside, recursive: true);
        else if (File.Exists(beside))
            File.Delete(beside);
        Unfinished.TryRemove(beside, out _);
    }

    /// <summary>Removes half-written files and folders of processes of this machine that are gone.</summary>
    /// <param name="folder">Where to look; need not exist.</param>
    /// <param name="name">The file that was being written; null for any.</param>
    public static void RemoveLeftovers(string folder, string? name = null)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, $"*.{Host}.*{Extension}"))
        {
            // name.host.process.number.partial
            string[] parts = Path.GetFileName(path).Split('.');
            if (parts.Length < 5 || (name is not null && string.Join('.', parts[..^4]) != name))
                continue;
            if (int.TryParse(parts[^3], out int process) && !IsRunning(process))
                Remove(path);
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void Remove(string path)
    {
        try
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It stays for the next run.
        }
    }

    /// <summary>A name beside a file for what is not finished.</summary>
    private static string Beside(string full) => $"{full}.{Host}.{Environment.ProcessId}.{Guid.NewGuid():N}{Extension}";

    /// <summary>
    /// Makes a folder beside a file, for what is to take its place. It is removed by <see cref="End"/>, or as what a killed run left.
    /// </summary>
    /// <exception cref="IOException">The folder around it cannot be written; names the file.</exception>
    public static DirectoryInfo NewFolder(string full)
    {
        // Hidden: it looks like the file otherwise.
        string folder = Begin(Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}"));
        try
        {
            return Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Unfinished.TryRemove(folder, out _);
            throw new IOException($"Cannot write '{full}': {error.Message}", error);
        }
    }

    /// <summary>
    /// Moves a file and the one whose values it reads to their places, over former ones. The former file goes first: a process killed on the
    /// way leaves none, rather than one that reads another's values.
    /// </summary>
    /// <exception cref="IOException">One cannot be moved; the former file is back where the values are still its own.</exception>
    public static void MoveTogether((string From, string To) file, (string From, string To) values)
    {
        string? former = File.Exists(file.To) && File.Exists(values.To) ? Beside(file.To) : null;
        if (former is not null)
            File.Move(file.To, former);
        try
        {
            File.Move(values.From, values.To, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (former is not null)
                File.Move(former, file.To);
            throw new IOException($"Cannot write '{values.To}': {error.Message}", error);
        }
        File.Move(file.From, file.To, overwrite: true);
        if (former is not null)
            File.Delete(former);
    }

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
        string beside = Begin(full);
        try
        {
            using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write))
                write(stream);
            File.Move(beside, full, overwrite: true);
        }
        catch (Exception error) when (IsOfFile(error))
        {
            throw new IOException($"Cannot write '{path}': {error.Message.Replace(beside, full)}", error);
        }
        finally
        {
            End(beside);
        }
    }

    /// <summary>
    /// Whether an error is one of the file system. A file that would grow beyond a quota, or beyond what the file system takes, is an argument
    /// out of range to .NET.
    /// </summary>
    public static bool IsOfFile(Exception error) => error is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException;

    /// <summary>The full path of what a path leads to in the end, through links; the file need not exist.</summary>
    /// <exception cref="IOException">The links form a cycle.</exception>
    public static string Target(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName
            : Path.GetFullPath(path);

    /// <summary>
    /// Renaming over a device would take it from everybody. .NET does not tell a file's kind, so its place does: all that lies in /dev, but
    /// for the memory file system there, and the open files in /proc.
    /// </summary>
    public static bool IsDevice(string path) =>
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
