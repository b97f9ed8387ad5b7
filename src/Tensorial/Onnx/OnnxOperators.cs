using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>One operator over a range of operator sets: how its attributes make our record.</summary>
/// <param name="Type">The operator's name in ONNX.</param>
/// <param name="Since">First operator set of this form.</param>
/// <param name="Until">Last operator set of this form.</param>
/// <param name="Bind">Our record for given attributes and number of results.</param>
internal sealed record OnnxOperator(string Type, int Since, int Until, Func<OnnxAttributes, int, Operation> Bind)
{
    /// <summary>The record, where the operator has no attributes, so that the row reads both ways.</summary>
    internal Type? Record { get; init; }

    /// <summary>The operator's domain; empty for the standard one.</summary>
    public string Domain { get; init; } = "";
}

/// <summary>
/// The operators of ONNX that this library evaluates: one row for each form an operator has had. What was an attribute in one
/// operator set and an input in another is one record that accepts both, the input overriding the attribute.
/// </summary>
internal static partial class OnnxOperators
{
    /// <summary>The oldest operator set that is read.</summary>
    public const int OldestOpset = 7;

    /// <summary>The newest operator set that is read.</summary>
    public const int NewestOpset = 25;

    /// <summary>All rows, by name and operator set.</summary>
    public static ImmutableArray<OnnxOperator> All { get; } =
    [
        .. Rows()
            .OrderBy(static row => row.Domain, StringComparer.Ordinal)
            .ThenBy(static row => row.Type, StringComparer.Ordinal)
            .ThenBy(static row => row.Since),
    ];

    private static readonly ILookup<(string Domain, string Type), OnnxOperator> ByType = All.ToLookup(static row => (row.Domain, row.Type));

    private static readonly FrozenSet<string> Domains = All.Select(static row => row.Domain).ToFrozenSet();

    /// <summary>
    /// Our record for an operator, or <see cref="Unknown"/> with the reason where there is none: an operator, a domain, an
    /// operator set or a variant that is not supported.
    /// </summary>
    /// <param name="domain">The operator's domain; the standard one is empty or <c>ai.onnx</c>.</param>
    /// <param name="type">The operator's name.</param>
    /// <param name="opset">The operator set of that domain that the model imports.</param>
    /// <param name="attributes">The node's attributes.</param>
    /// <param name="outputs">How many results the node has, counting unnamed ones before the last named one.</param>
    /// <exception cref="BadInputException">An attribute is missing, of the wrong type or out of range; names the attribute.</exception>
    public static Operation Bind(string domain, string type, int opset, OnnxAttributes attributes, int outputs = 1)
    {
        domain = domain is "ai.onnx" ? "" : domain;
        if (!Domains.Contains(domain))
            return new Unknown(domain, type, $"operators of the domain '{domain}' are not supported.");
        if (domain.Length == 0 && opset is < OldestOpset or > NewestOpset)
            return new Unknown("", type, $"operator set {opset} is not supported, only {OldestOpset} to {NewestOpset}.");
        OnnxOperator? row = RowOf(domain, type, opset);
        if (row is null)
        {
            string ranges = string.Join(" and ", ByType[(domain, type)].Select(static row => $"{row.Since} to {row.Until}"));
            return new Unknown(
                domain,
                type,
                ranges.Length > 0 ? $"it is supported in operator sets {ranges}, not in {opset}." : "the operator is not supported."
            );
        }
        try
        {
            return row.Bind(attributes, outputs);
        }
        catch (UnsupportedException variant)
        {
            return new Unknown(domain, type, variant.Message);
        }
    }

    /// <summary>The form that an operator has in an operator set; null where there is none.</summary>
    internal static OnnxOperator? RowOf(string domain, string type, int opset) =>
        ByType[(domain, type)].FirstOrDefault(row => opset >= row.Since && opset <= row.Until);
}
