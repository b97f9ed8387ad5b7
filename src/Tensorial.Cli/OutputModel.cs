using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;

namespace Tensorial.Cli;

/// <summary>
/// A network on its way to its file: written into a folder beside, so that it can be read again and tried, and put in place when everything
/// passed. Disposed before that, it leaves nothing.
/// </summary>
internal sealed class OutputModel : IDisposable
{
    private readonly string _target;
    private readonly DirectoryInfo _folder;

    private OutputModel(string target, DirectoryInfo folder)
    {
        (_target, _folder) = (target, folder);
        Path = System.IO.Path.Combine(folder.FullName, System.IO.Path.GetFileName(target));
    }

    /// <summary>The file as it lies for now.</summary>
    public string Path { get; }

    /// <summary>Bytes of the file, and of the one beside it that holds its weights where there is one.</summary>
    public long Bytes => BytesOf(Path);

    /// <summary>Bytes of a model, weights in a file beside it included.</summary>
    public static long BytesOf(string path)
    {
        return OfFile(path).Length + (OfFile(DataOf(path)) is { Exists: true } data ? data.Length : 0);

        // A link has the length of its text.
        static FileInfo OfFile(string path) => new(AtomicFile.Target(path));
    }

    /// <summary>Writes a network beside its final place.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnsupportedException">The network cannot be written.</exception>
    public static OutputModel Stage(Graph graph, FileInfo output)
    {
        string target = AtomicFile.Target(output.FullName);
        // What is no file, such as /dev/null, has no folder to write beside it.
        string beside = AtomicFile.IsDevice(target)
            ? System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetFileName(target))
            : target;
        OutputModel staged = new(target, AtomicFile.NewFolder(beside));
        try
        {
            OnnxFile.Write(graph, staged.Path);
            return staged;
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>Stages, tries and places a network whose numbers need no comparison.</summary>
    /// <inheritdoc cref="Place" path="/param"/>
    public static void Write(Graph graph, FileInfo output, string? original)
    {
        using OutputModel staged = Stage(graph, output);
        staged.Place(original);
    }

    /// <summary>Puts the file in its place, if it can be read again and ONNX Runtime loads it.</summary>
    /// <param name="original">
    /// The file it came from: what ONNX Runtime does not load there, such as operators of another domain, it need not load here; null for
    /// none.
    /// </param>
    /// <exception cref="BadInputException">ONNX Runtime refuses the file, and would not refuse the original.</exception>
    public void Place(string? original)
    {
        OnnxFile.Read(Path);
        try
        {
            using ISession session = OrtRuntime.Load(Path, 1);
        }
        catch (BadInputException error) when (original is null || IsLoaded(original))
        {
            throw new BadInputException($"{System.IO.Path.GetFileName(_target)} was not written: {error.Message}", error);
        }
        catch (Exception error) when (error is BadInputException or IOException)
        {
            // It refuses the original too, or does not run on this machine.
        }
        if (System.IO.Path.GetDirectoryName(_target) != _folder.Parent!.FullName)
            AtomicFile.Write(
                _target,
                stream =>
                {
                    using FileStream staged = InputFile.Open(Path);
                    staged.CopyTo(stream);
                }
            );
        else if (File.Exists(DataOf(Path)))
            AtomicFile.MoveTogether((Path, _target), (DataOf(Path), DataOf(_target)));
        else
            File.Move(Path, _target, overwrite: true);
    }

    public void Dispose() => AtomicFile.End(_folder.FullName);

    private static bool IsLoaded(string path)
    {
        try
        {
            using ISession session = OrtRuntime.Load(path, 1);
            return true;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private static string DataOf(string path) => path + ".data";
}
