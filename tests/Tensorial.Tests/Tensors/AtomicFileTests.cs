namespace Tensorial.Tests.Tensors;

public sealed class AtomicFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private string At(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void A_failure_leaves_the_former_file_and_nothing_else()
    {
        File.WriteAllText(At("out"), "former");
        Assert.Throws<IOException>(() =>
            AtomicFile.Write(
                At("out"),
                static stream =>
                {
                    stream.WriteByte(1);
                    throw new IOException("No space left on device");
                }
            )
        );
        Assert.Equal("former", File.ReadAllText(At("out")));
        Assert.Equal([At("out")], Directory.GetFileSystemEntries(_folder.FullName));
    }

    /// <summary>Files and folders alike; those of processes that are at work stay.</summary>
    [Fact]
    public void What_a_process_left_is_removed_by_the_next_that_writes_the_same()
    {
        string own = AtomicFile.Begin(At("out")),
            ended = own.Replace($".{Environment.ProcessId}.", ".4194303.", StringComparison.Ordinal);
        Directory.CreateDirectory(own);
        Directory.CreateDirectory(Path.Combine(ended, "in it"));
        string next = AtomicFile.Begin(At("out"));
        Assert.NotEqual(own, next);
        Assert.Equal([own], Directory.GetFileSystemEntries(_folder.FullName));
        AtomicFile.End(own);
        AtomicFile.End(next);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_link_stays_and_what_it_points_at_is_written()
    {
        File.WriteAllText(At("target"), "former");
        File.CreateSymbolicLink(At("link"), "target");
        AtomicFile.Write(At("link"), static stream => stream.Write("new"u8));
        Assert.Equal(("new", "target"), (File.ReadAllText(At("target")), new FileInfo(At("link")).LinkTarget));
    }

    /// <summary>Through a link to an open file of this process, so that a mistake cannot take a device from the machine.</summary>
    [OracleFact(Oracle.Linux)]
    public void An_open_file_is_written_into_and_not_replaced()
    {
        using FileStream open = new(At("open"), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
        AtomicFile.Write($"/proc/self/fd/{open.SafeFileHandle.DangerousGetHandle()}", static stream => stream.Write("new"u8));
        Assert.Equal(3, open.Length);
    }
}
