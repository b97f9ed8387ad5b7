using System.Collections;
using System.Collections.Immutable;

namespace Tensorial.Onnx;

/// <summary>
/// The attributes of an ONNX node, in our own terms: each is a <see cref="long"/>, <see cref="float"/>, <see cref="string"/> or
/// <see cref="Tensor"/>, or an <see cref="ImmutableArray{T}"/> of the first three. Anything else (a graph, a sparse tensor) is
/// carried as it came, and asking for it by one of these types is an error that names it.
/// </summary>
internal sealed class OnnxAttributes(IEnumerable<KeyValuePair<string, object>> values) : IEnumerable<KeyValuePair<string, object>>
{
    private readonly ImmutableSortedDictionary<string, object> _values = values.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public static OnnxAttributes None { get; } = new([]);

    /// <summary>
    /// The attributes given, without those whose value is null. Whole numbers, truth values and lists of whole numbers take the
    /// one form ONNX has for them.
    /// </summary>
    public static OnnxAttributes From(params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        Dictionary<string, object> values = [];
        foreach ((string name, object? value) in attributes)
            if (value is not null)
                values[name] = Normal(value);
        return new(values);
    }

    /// <summary>Names of the attributes, in alphabetical order.</summary>
    public IEnumerable<string> Names => _values.Keys;

    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>The attribute, or null where the node does not have it.</summary>
    /// <exception cref="BadInputException">It has another type, or does not fit 32 bits.</exception>
    public int? Integer(string name) => _values.ContainsKey(name) ? Narrow(name, Get<long>(name, "an integer")) : null;

    /// <inheritdoc cref="Integer(string)"/>
    public int Integer(string name, int otherwise) => Integer(name) ?? otherwise;

    /// <summary>An integer at its full width.</summary>
    /// <exception cref="BadInputException">The attribute has another type.</exception>
    public long? Long(string name) => _values.ContainsKey(name) ? Get<long>(name, "an integer") : null;

    /// <inheritdoc cref="Long"/>
    public ImmutableArray<long>? Longs(string name) =>
        _values.ContainsKey(name) ? Get<ImmutableArray<long>>(name, "a list of integers") : null;

    /// <summary>An attribute that ONNX writes as 0 or 1.</summary>
    public bool Flag(string name, bool otherwise = false) => Integer(name, otherwise ? 1 : 0) != 0;

    /// <inheritdoc cref="Integer(string)"/>
    public ImmutableArray<int>? Integers(string name) =>
        _values.ContainsKey(name) ? [.. Get<ImmutableArray<long>>(name, "a list of integers").Select(value => Narrow(name, value))] : null;

    /// <inheritdoc cref="Integer(string)"/>
    public float? Float(string name) => _values.ContainsKey(name) ? Get<float>(name, "a number") : null;

    /// <inheritdoc cref="Integer(string)"/>
    public float Float(string name, float otherwise) => Float(name) ?? otherwise;

    /// <inheritdoc cref="Integer(string)"/>
    public ImmutableArray<float>? Floats(string name) =>
        _values.ContainsKey(name) ? Get<ImmutableArray<float>>(name, "a list of numbers") : null;

    /// <inheritdoc cref="Integer(string)"/>
    public string? Text(string name) => _values.ContainsKey(name) ? Get<string>(name, "a text") : null;

    /// <inheritdoc cref="Integer(string)"/>
    public Tensor? Tensor(string name) => _values.ContainsKey(name) ? Get<Tensor>(name, "a tensor") : null;

    /// <inheritdoc cref="Integer(string)"/>
    public ImmutableArray<string>? Texts(string name) =>
        _values.ContainsKey(name) ? Get<ImmutableArray<string>>(name, "a list of texts") : null;

    /// <inheritdoc cref="Integer(string)"/>
    internal OnnxBody? Body(string name) => _values.ContainsKey(name) ? Get<OnnxBody>(name, "a graph") : null;

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private T Get<T>(string name, string wanted) =>
        _values[name] is T value
            ? value
            : throw new BadInputException($"Attribute '{name}' should be {wanted}, not {Describe(_values[name])}.");

    /// <summary>Axes, extents and the like. ONNX writes "to the end" as a huge number, which clamping keeps.</summary>
    private static int Narrow(string name, long value) =>
        value switch
        {
            long.MaxValue => int.MaxValue,
            long.MinValue => int.MinValue,
            >= int.MinValue and <= int.MaxValue => (int)value,
            _ => throw new BadInputException($"Attribute '{name}' has the value {value}, which is out of range."),
        };

    private static object Normal(object value) =>
        value switch
        {
            int number => (long)number,
            bool flag => flag ? 1L : 0L,
            ImmutableArray<int> numbers => numbers.Select(static number => (long)number).ToImmutableArray(),
            _ => value,
        };

    private static string Describe(object value) =>
        value switch
        {
            long => "an integer",
            float => "a number",
            string => "a text",
            Tensorial.Tensor => "a tensor",
            ImmutableArray<long> => "a list of integers",
            ImmutableArray<float> => "a list of numbers",
            ImmutableArray<string> => "a list of texts",
            OnnxBody => "a graph",
            _ => "a value of another kind",
        };
}
