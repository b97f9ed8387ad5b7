using System.Collections.Immutable;
using System.Security.Cryptography;
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

    private ResultCache(ResultStore? store, string folder, string scope) => (_store, _folder, _scope) = (store, folder, scope);

    /// <summary>One that forgets.</summary>
    public static ResultCache None => new(null, "", "");

    /// <summary>Opens, or begins, the memory in a folder.</summary>
    /// <param name="folder">Made where it does not exist; may hold several networks' and image sets' results.</param>
    /// <param name="model">SHA-256 of the network.</param>
    /// <param name="images">Fingerprint of the calibration images; empty for none.</param>
    /// <exception cref="IOException">Another process uses it, or it cannot be written.</exception>
    /// <exception cref="BadInputException">A file in it is damaged.</exception>
    public static ResultCache Open(string folder, string model, string images) =>
        new(ResultStore.Open(folder, "compression"), folder, ResultStore.Key("compression", model, images));

    /// <summary>A number kept under a name.</summary>
    public double? Find(string name) => _store?.Find<Remembered>(Key(name))?.Value;

    /// <summary>Keeps a measurement under its name.</summary>
    public void Add(string name, double value) => _store?.Add(Key(name), _scope, StoredKind.Compression, new Remembered(name, value));

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
        if (_store?.Find<Remembered>(Key(FileOf(name)))?.Sha256 is not { } checksum || !File.Exists(PathOf(name)))
            return null;
        byte[] bytes = File.ReadAllBytes(PathOf(name));
        // What a bad disk or another program has changed is computed again.
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == checksum
            ? ((Tensor<double>)NpyFile.Read(PathOf(name)).To(ElementType.Float64)).Values.ToArray()
            : null;
    }

    internal void AddValues(string name, double[] values)
    {
        if (_store is null)
            return;
        NpyFile.Write(new Tensor<double>([values.Length], values), PathOf(name));
        string checksum = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(PathOf(name))));
        _store.Add(Key(FileOf(name)), _scope, StoredKind.Compression, new Remembered(FileOf(name), values.Length, checksum));
    }

    /// <summary>The name under which a file's checksum is kept.</summary>
    private static string FileOf(string name) => $"{name}/file";

    /// <inheritdoc/>
    public void Dispose() => _store?.Dispose();

    private string Key(string name) => ResultStore.Key(_scope, name);

    private string PathOf(string name) => Path.Combine(_folder, $"{Key(name)}.npy");

    private sealed record Remembered(string Name, double Value, string? Sha256 = null);
}
