namespace Tensorial;

/// <summary>Writes files that are there whole or not at all: into a neighbour first, which then takes the name.</summary>
public static class WholeFile
{
    /// <summary>Lets <paramref name="write"/> fill a file, and removes what it left if it fails. A file of that name is replaced only at the end.</summary>
    /// <exception cref="IOException">The folder is missing, or the file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its folder may not be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string beside = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write)) write(stream);
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }
}
