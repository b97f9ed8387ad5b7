using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tensorial.Analysis;

/// <summary>
/// A folder that keeps finished measurements, one line of JSON each, so that a run that was killed goes on where it was. A
/// process appends to one file of its own, under a lock, and knows what all files in the folder hold: shards may share a folder.
/// </summary>
internal sealed class ResultStore : IDisposable
{
    private readonly Dictionary<string, StoredResult> _known = [];
    private readonly string _folder;
    private readonly Lock _gate = new();
    private readonly FolderLock _lock;
    private readonly FileStream _file;
    private readonly JsonSerializerOptions _json;

    private ResultStore(string folder, FolderLock @lock, FileStream file, JsonSerializerOptions json) =>
        (_folder, _lock, _file, _json) = (folder, @lock, file, json);

    /// <summary>Opens, or begins, the store in a folder.</summary>
    /// <param name="folder">Made where it does not exist.</param>
    /// <param name="writer">Names this process's own file; two at a time may not share one.</param>
    /// <param name="json">How results are read and written; null for those of an analysis.</param>
    /// <exception cref="IOException">Another process writes under this name, or the folder cannot be written.</exception>
    /// <exception cref="BadInputException">A file of the store is damaged before its last line.</exception>
    public static ResultStore Open(string folder, string writer = "measurements", JsonSerializerOptions? json = null)
    {
        Directory.CreateDirectory(folder);
        FolderLock @lock = FolderLock.Take(folder, writer);
        try
        {
            string path = Path.Combine(folder, writer + ".jsonl");
            DropTornLine(path);
            ResultStore store = new(
                folder,
                @lock,
                new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
                json ?? AnalysisJson.Line
            );
            // What was damaged and computed again comes later.
            foreach (StoredResult result in Read(folder))
                store._known[result.Key] = result;
            return store;
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>Everything a store holds, file by file in the order written. A line torn off by a crash is left out.</summary>
    /// <exception cref="BadInputException">The folder is no store, or a file is damaged before its last line.</exception>
    public static IReadOnlyList<StoredResult> Read(string folder)
    {
        string[] files = Directory.GetFiles(folder, "*.jsonl");
        Array.Sort(files, StringComparer.Ordinal);
        return files.Length > 0
            ? [.. files.SelectMany(ReadFile)]
            : throw new BadInputException($"{folder} is no result store: it has no .jsonl file.");
    }

    /// <summary>A name for what the parts say, short enough for a line and long enough never to coincide.</summary>
    public static string Key(params ReadOnlySpan<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts!))).AsSpan(0, 16));

    /// <summary>
    /// Sees to it that a run may go on here. Keys alone would keep the results of different models and images apart, but the folder could
    /// no longer be merged into one report, and who names it by mistake would wait for measurements they believe to have.
    /// </summary>
    /// <exception cref="BadInputException">The store holds results of another model, of other images or of other images to recalibrate
    /// on.</exception>
    public void CheckBelongsTo(Provenance run)
    {
        StoredResult[] known;
        lock (_gate)
            known = [.. _known.Values];
        foreach (
            Provenance other in known
                .Where(static result => result.Kind == StoredKind.Run)
                .Select(static result => result.As<AnalysisReport>().Provenance)
        )
        {
            if (other.Model.Sha256 != run.Model.Sha256)
                Refuse($"the model {Of(other.Model)}, not of {Of(run.Model)}");
            if (other.Data is not { } images || run.Data is null)
                continue;
            if (images.Fingerprint != run.Data.Fingerprint)
                Refuse($"{Of(images)}, not of {Of(run.Data)}: set, split, number and normalisation of the images must be the same");
            if (other.Calibration?.Fingerprint != run.Calibration?.Fingerprint)
                Refuse($"recalibration on {Of(other.Calibration)}, not on {Of(run.Calibration)}");
        }
        // A run that was killed among its first spectra has not yet said what it is.
        if (known.Any(result => result.Kind == StoredKind.Layer && result.Scope != run.Model.Sha256))
            Refuse($"another model than {Of(run.Model)}");

        void Refuse(string whose) =>
            throw new BadInputException($"The result store {_folder} holds results of {whose}. Give --resume another folder.");

        static string Of(object? input) =>
            input switch
            {
                ModelFile model => $"{model.Name} (SHA-256 {Short(model.Sha256)})",
                DataUse data => $"{data.Samples:N0} images of {data.Description} (SHA-256 {Short(data.Fingerprint)})",
                _ => "no images",
            };

        static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;
    }

    /// <summary>Versions of this program other than this one that results here come from.</summary>
    public IReadOnlyList<string> OtherVersions
    {
        get
        {
            lock (_gate)
                return
                [
                    .. _known
                        .Values.Select(static result => result.Version ?? "unknown")
                        .Where(static version => version != LibraryVersion.Text)
                        .Distinct()
                        .Order(StringComparer.Ordinal),
                ];
        }
    }

    /// <summary>All results of a kind.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="scope">What they belong to; null for anything.</param>
    /// <exception cref="BadInputException">One is something else.</exception>
    public IReadOnlyList<T> All<T>(StoredKind kind, string? scope = null)
        where T : class
    {
        lock (_gate)
            return
            [
                .. _known
                    .Values.Where(result => result.Kind == kind && result.Scope == (scope ?? result.Scope))
                    .Select(result => result.As<T>(_json)),
            ];
    }

    /// <summary>Drops a result whose file has turned out damaged, so that it can be added again.</summary>
    public void Forget(string key)
    {
        lock (_gate)
            _known.Remove(key);
    }

    /// <summary>The result stored under a key; null where there is none.</summary>
    public T? Find<T>(string key)
        where T : class
    {
        lock (_gate)
            return _known.TryGetValue(key, out StoredResult? stored) ? stored.As<T>(_json) : null;
    }

    /// <summary>Appends a result, unless its key is known, and hands it to the operating system before returning.</summary>
    public void Add<T>(string key, string scope, StoredKind kind, T value)
    {
        JsonElement stored = JsonSerializer.SerializeToElement(value, _json.TypeOf<T>());
        Add(new StoredResult(key, scope, kind, stored, Version: LibraryVersion.Text).Checked());
    }

    /// <summary>Appends a line of another store as it is, unless its key is known.</summary>
    public void Add(StoredResult result)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(result, AnalysisJson.Line.TypeOf<StoredResult>()), (byte)'\n'];
        lock (_gate)
        {
            if (!_known.TryAdd(result.Key, result))
                return;
            Append(line);
        }
    }

    /// <summary>Writes a whole line or nothing of it: what a full disk cuts off would spoil the line after it.</summary>
    private void Append(byte[] line)
    {
        long before = _file.Length;
        try
        {
            _file.Write(line);
        }
        catch (Exception error) when (AtomicFile.IsOfFile(error))
        {
            try
            {
                _file.SetLength(before);
            }
            catch (Exception other) when (AtomicFile.IsOfFile(other))
            {
                // It stays as a torn line, which the next run drops.
            }
            throw new IOException($"Cannot write '{_file.Name}': {error.Message}", error);
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    /// <summary>
    /// Cuts a file back to its last whole line, so that the next one starts at the margin. What has no length goes: it may be a pipe, which
    /// would be waited for.
    /// </summary>
    private static void DropTornLine(string path)
    {
        if (!File.Exists(path))
            return;
        if (InputFile.StampOf(path).Length == 0)
        {
            File.Delete(path);
            return;
        }
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        long end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n')
                break;
            end--;
        }
        file.SetLength(end);
    }

    private static IEnumerable<StoredResult> ReadFile(string path)
    {
        if (InputFile.StampOf(path).Length == 0)
            yield break;
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file, Encoding.UTF8);
        string text = reader.ReadToEnd();
        string[] lines = text.Split('\n');
        // What follows the last line's end is nothing, or a line being written or torn.
        for (int number = 0; number < lines.Length - 1; number++)
        {
            StoredResult result;
            try
            {
                result = JsonInput.Read<StoredResult>(
                    Encoding.UTF8.GetBytes(lines[number]),
                    $"{path}, line {number + 1}",
                    "stored result",
                    AnalysisJson.Line
                );
                if (result.Check is null || result.Check != result.Checked().Check)
                    throw new BadInputException("its checksum differs.");
            }
            catch (BadInputException error)
            {
                throw new BadInputException(
                    $"{path}, line {number + 1}, is damaged: {error.Message} Remove the line to measure it again.",
                    error
                );
            }
            yield return result;
        }
    }
}

/// <summary>What a line of a store says.</summary>
internal enum StoredKind
{
    /// <summary>An <see cref="AnalysisReport"/> without its results: what was run.</summary>
    Run,

    /// <summary>A <see cref="LayerAnalysis"/>.</summary>
    Layer,

    /// <summary>The <see cref="Evaluation"/> of the untouched network.</summary>
    Baseline,

    /// <summary>The <see cref="Evaluation"/> of the untouched network with its batch-norm statistics estimated again.</summary>
    RecalibratedBaseline,

    /// <summary>A <see cref="TruncationResult"/>.</summary>
    Truncation,

    /// <summary>A number that a compression found out.</summary>
    Compression,

    /// <summary>The network, images and version that results of a compression belong to.</summary>
    Origin,

    /// <summary>A shard of a compression's search that was begun, or is done.</summary>
    Shard,

    /// <summary>The forms that were found for a kernel.</summary>
    Structures,
}

/// <param name="Key">Hash of everything the result depends on.</param>
/// <param name="Scope">The model a layer belongs to, or the run (model, images, options) anything else does.</param>
/// <param name="Kind">What the value is.</param>
/// <param name="Value">The result.</param>
/// <param name="Check">Checksum of all else.</param>
/// <param name="Version">The version of this program that found it out.</param>
internal sealed record StoredResult(
    string Key,
    string Scope,
    StoredKind Kind,
    JsonElement Value,
    string? Check = null,
    string? Version = null
)
{
    /// <exception cref="BadInputException">It is something else, or holds values that are missing or out of range.</exception>
    public T As<T>(JsonSerializerOptions? json = null)
        where T : class => JsonInput.Read<T>(Value, Key, "stored result of this kind", json ?? AnalysisJson.Line);

    /// <summary>This result with the checksum that it should have.</summary>
    public StoredResult Checked() =>
        this with
        {
            Check = Convert.ToHexStringLower(
                SHA256.HashData(Encoding.UTF8.GetBytes($"{Key}\n{Scope}\n{Kind}\n{Version}\n{Value.GetRawText()}")).AsSpan(0, 8)
            ),
        };
}
