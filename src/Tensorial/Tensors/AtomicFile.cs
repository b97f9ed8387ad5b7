namespace Tensorial;

/// <summary>Files that appear whole or not at all: written beside, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file through <paramref name="write"/>. On failure the former file, if any, is untouched and nothing is left behind.</summary>
    /// <exception cref="IOException">The folder cannot be written; the message names the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full)) throw new IOException($"Cannot write '{path}': it is a folder.");
        string beside = $"{full}.{Environment.ProcessId}.{Guid.NewGuid():N}.partial";
        try
        {
            using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write)) write(stream);
            File.Move(beside, full, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write '{path}': {error.Message.Replace(beside, full)}", error);
        }
        finally
        {
            if (File.Exists(beside)) File.Delete(beside);
        }
    }
}
