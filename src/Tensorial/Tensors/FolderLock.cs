namespace Tensorial;

/// <summary>
/// One process at a time in a folder of results. Who takes it finds no half-written files of runs that were killed: they are removed.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, which ends with the process, however that ends.</summary>
    /// <param name="folder">Made where it does not exist.</param>
    /// <param name="name">What is locked: two runs under different names share the folder.</param>
    /// <exception cref="IOException">Another process has it, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, name + ".lock");
        FileStream file;
        try
        {
            // Both ways: to be let into a named pipe, one that only writes waits for a reader.
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new IOException(
                $"The folder {folder} is being used by another run; wait for it, or give each run its own folder.",
                error
            );
        }
        AtomicFile.RemoveLeftovers(folder);
        return new(file);
    }

    public void Dispose() => _file.Dispose();
}
