using System.Collections.Immutable;
using System.Text.Json;
using Tensorial.Analysis;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>
/// What a compression has found out so far, in a folder, so that a run that was killed goes on where it was: numbers in a
/// <see cref="ResultStore"/>, factors in .npy files. Without a folder nothing is remembered.
/// </summary>
public sealed class ResultCache : IDisposable
{
    private readonly ResultStore? _store;
    private readonly string _folder,
        _scope;

    private readonly Action<string>? _warn;

    private static readonly JsonSerializerOptions Json = new(AnalysisJson.Line) { TypeInfoResolver = CompressionJsonTypes.Default };

    private ResultCache(ResultStore? store, string folder, string scope, Action<string>? warn = null) =>
        (_store, _folder, _scope, _warn) = (store, folder, scope, warn);

    /// <summary>One that forgets.</summary>
    public static ResultCache None => new(null, "", "");

    /// <summary>Opens, or begins, the memory in a folder.</summary>
    /// <param name="folder">Made where it does not exist; may hold several networks' and image sets' results.</param>
    /// <param name="model">SHA-256 of the network.</param>
    /// <param name="images">Fingerprint of the calibration images; empty for none.</param>
    /// <exception cref="IOException">Another process uses it, or it cannot be written.</exception>
    /// <exception cref="BadInputException">A file in it is damaged.</exception>
    public static ResultCache Open(string folder, string model, string images) => Open(folder, model, images, warn: null);

    /// <inheritdoc cref="Open(string, string, string)"/>
    /// <param name="folder">Made where it does not exist; may hold several networks' and image sets' results.</param>
    /// <param name="model">SHA-256 of the network.</param>
    /// <param name="images">Fingerprint of the calibration images; empty for none.</param>
    /// <param name="warn">Told what the folder holds that is not used, and what is damaged and computed again.</param>
    /// <param name="shard">The shard that this process measures, in a file of its own; null for a run of the whole.</param>
    internal static ResultCache Open(string folder, string model, string images, Action<string>? warn, Shard? shard = null)
    {
        Origin own = new(LibraryVersion.Text, model, images);
        string scope = ResultStore.Key("compression", own.Version, own.Model, own.Images);
        ResultStore store = ResultStore.Open(
            folder,
            shard is { Count: > 1 } part ? $"compression-{part.Index}-of-{part.Count}" : "compression",
            Json
        );
        try
        {
            foreach (Origin other in store.All<Origin>(StoredKind.Origin).Where(other => other != own))
                warn?.Invoke($"'{folder}' also holds results that are not used: {other}. This run is of {own}.");
            store.Add(ResultStore.Key("origin", scope), scope, StoredKind.Origin, own);
            ResultCache cache = new(store, folder, scope, warn);
            if (shard is { Count: > 1 })
                return cache;
            // Other shards may be writing files just now; who works on the whole is alone.
            cache.RemoveUnknownFiles();
            foreach (string missing in ShardRecord.Missing(cache.Shards))
                warn?.Invoke($"In '{folder}' {missing}: what it would have measured is measured now.");
            return cache;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>A number kept under a name.</summary>
    public double? Find(string name) => _store?.Find<Remembered>(Key(name))?.Value;

    /// <summary>Keeps a measurement under its name.</summary>
    public void Add(string name, double value) => _store?.Add(Key(name), _scope, StoredKind.Compression, new Remembered(name, value));

    /// <summary>The shards that were begun or done.</summary>
    private IEnumerable<ShardRecord> Shards => _store?.All<ShardRecord>(StoredKind.Shard, _scope) ?? [];

    /// <summary>Notes that a shard was begun, or is done.</summary>
    internal void Add(ShardRecord shard) => _store?.Add(Key($"{shard.Work} {shard.Shard} {shard.IsDone}"), _scope, StoredKind.Shard, shard);

    /// <summary>Factors kept under a name: of exactly this form, or null.</summary>
    internal TensorFactors<double>? FindFactors(string name, LayerForm form)
    {
        ImmutableArray<Shape> shapes = form.Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan());
        if (
            Find(name) is not { } error
            || FindValues(name) is not { } values
            || values.Length != shapes.Sum(static shape => shape.ElementCount)
        )
            return null;
        return new(form.Form.Tensor, form.Form.Folding, form.Ranks, Fits.Split(shapes, values), error);
    }

    internal void AddFactors(string name, TensorFactors<double> factors)
    {
        // The values first: the number says that they are there.
        AddValues(name, [.. factors.Factors.SelectMany(static factor => factor.Values.ToArray())]);
        Add(name, factors.RelativeError);
    }

    /// <summary>Numbers kept under a name; null where there are none.</summary>
    internal double[]? FindValues(string name)
    {
        if (_store?.Find<Remembered>(Key(FileOf(name)))?.Sha256 is not { } checksum)
            return null;
        string path = PathOf(name);
        if (BytesOf(path) is { } bytes && InputFile.ChecksumOf(bytes) == checksum)
            return ((Tensor<double>)NpyFile.Read(new MemoryStream(bytes), path, bytes.Length).To(ElementType.Float64)).Values.ToArray();
        _warn?.Invoke(
            $"'{path}' is {(File.Exists(path) ? "damaged: it is not as it was written (SHA-256 differs)" : "missing")}. It is computed again."
        );
        _store.Forget(Key(FileOf(name)));
        _store.Forget(Key(name));
        return null;
    }

    internal void AddValues(string name, double[] values)
    {
        if (_store is null)
            return;
        NpyFile.Write(new Tensor<double>([values.Length], values), PathOf(name));
        string checksum = InputFile.ChecksumOf(PathOf(name));
        _store.Add(
            Key(FileOf(name)),
            _scope,
            StoredKind.Compression,
            new Remembered(FileOf(name), values.Length, checksum, Path.GetFileName(PathOf(name)))
        );
    }

    /// <summary>The forms of a kernel kept under a name; null where there are none.</summary>
    internal FoundForms? FindForms(string name) => _store?.Find<FoundForms>(Key(name));

    internal void AddForms(string name, FoundForms forms) => _store?.Add(Key(name), _scope, StoredKind.Structures, forms);

    /// <summary>The name under which a file's checksum is kept.</summary>
    private static string FileOf(string name) => $"{name}/file";

    /// <inheritdoc/>
    public void Dispose() => _store?.Dispose();

    /// <summary>A file's bytes; null where there are none.</summary>
    private static byte[]? BytesOf(string path)
    {
        try
        {
            return File.Exists(path) ? InputFile.ReadBytes(path) : null;
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    private string Key(string name) => ResultStore.Key(_scope, name);

    private string PathOf(string name) => Path.Combine(_folder, $"{Key(name)}.npy");

    /// <summary>Removes factors that a killed run wrote and did not get to note down.</summary>
    private void RemoveUnknownFiles()
    {
        HashSet<string> known = [.. _store!.All<Remembered>(StoredKind.Compression).Select(static result => result.File).OfType<string>()];
        foreach (string path in Directory.EnumerateFiles(_folder, "*.npy"))
            if (Path.GetFileName(path) is var name && IsKey(Path.GetFileNameWithoutExtension(name)) && !known.Contains(name))
                File.Delete(path);
    }

    /// <summary>Whether a file bears such a name as <see cref="ResultStore.Key"/> makes: others are not ours.</summary>
    private static bool IsKey(string name) => name.Length == 32 && name.All(char.IsAsciiHexDigitLower);

    /// <summary>What results belong to.</summary>
    internal sealed record Origin(string Version, string Model, string Images)
    {
        public override string ToString() =>
            $"network {Short(Model)}, {(Images.Length > 0 ? $"images {Short(Images)}" : "no images")}, version {Version}";

        private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;
    }

    /// <summary>A number, or the file that holds several.</summary>
    internal sealed record Remembered(string Name, double Value, string? Sha256 = null, string? File = null);
}
