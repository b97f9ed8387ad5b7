namespace Tensorial.Data;

/// <summary>
/// The files of a set, one a sample, wherever they lie: read when they are asked for, by several threads at once if need be. Nothing but
/// their names and places is held.
/// </summary>
internal abstract class SampleFiles
{
    public abstract int Count { get; }

    /// <summary>Where the windows of the set begin: samples that lie near each other, and are read one after the other in some order.</summary>
    public virtual IReadOnlyList<int> Windows => [0];

    /// <summary>A file's name within the set, with slashes.</summary>
    public abstract string NameOf(int sample);

    /// <summary>What messages call it.</summary>
    public abstract string PathOf(int sample);

    /// <summary>Bytes of a file.</summary>
    /// <exception cref="IOException">It is not what it was at first; names it.</exception>
    public abstract long LengthOf(int sample);

    /// <summary>All bytes of a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is not what it was at first; names it.</exception>
    public abstract byte[] Read(int sample);

    /// <summary>A set that changes while it is in use.</summary>
    protected static IOException Changed(string path) =>
        new($"'{path}' was changed while it was in use: what was computed of it no longer belongs to the set. Run again.");
}

/// <summary>Files of a folder.</summary>
/// <param name="folder">The folder that names are relative to.</param>
/// <param name="files">The files, in order.</param>
internal sealed class FolderFiles(string folder, IReadOnlyList<string> files) : SampleFiles
{
    /// <summary>Length and time of each file when it was first looked at: a set that changes is another one.</summary>
    private readonly InputFile.Stamp[] _stamps = new InputFile.Stamp[files.Count];

    public override int Count => files.Count;

    public override string NameOf(int sample) => files[sample].Replace('\\', '/');

    public override string PathOf(int sample) => Path.Combine(folder, files[sample]);

    public override long LengthOf(int sample) => Stamp(sample).Length;

    public override byte[] Read(int sample)
    {
        _ = Stamp(sample);
        byte[] content = InputFile.ReadBytes(PathOf(sample));
        _ = Stamp(sample);
        return content;
    }

    private InputFile.Stamp Stamp(int sample)
    {
        InputFile.Stamp now = InputFile.StampOf(PathOf(sample));
        return _stamps[sample] == default || _stamps[sample] == now ? _stamps[sample] = now : throw Changed(PathOf(sample));
    }
}
