using System.Collections.Immutable;
using Tensorial.Graphs;

namespace Tensorial.Onnx;

/// <summary>What an ONNX file says of itself.</summary>
/// <param name="IrVersion">Version of the file format.</param>
/// <param name="Producer">The program that wrote it, with its version; empty where it does not say.</param>
/// <param name="OperatorSets">Version by domain; the standard domain is empty.</param>
/// <param name="Initializers">How many constants it stores.</param>
/// <param name="OpaqueInitializers">Those whose type cannot be computed with: their name and ONNX's name of the type.</param>
/// <param name="KeepsDataElsewhere">Whether weights lie in another file.</param>
public sealed record OnnxFacts(
    long IrVersion,
    string Producer,
    ImmutableSortedDictionary<string, long> OperatorSets,
    int Initializers,
    ImmutableArray<(string Name, string Type)> OpaqueInitializers,
    bool KeepsDataElsewhere
)
{
    /// <summary>The facts of the file a network was read from; null for one that was made here.</summary>
    public static OnnxFacts? From(Graph graph) =>
        graph.Source is not OnnxSource { Model: { } model }
            ? null
            : new(
                model.IrVersion,
                Message.Tidy($"{model.ProducerName} {model.ProducerVersion}".Trim()),
                model
                    .OpsetImport.DistinctBy(static o => o.Domain)
                    .ToImmutableSortedDictionary(static o => o.Domain, static o => o.Version, StringComparer.Ordinal),
                model.Graph.Initializer.Count,
                [
                    .. model
                        .Graph.Initializer.Where(static t => OnnxTensors.TypeOf(t.DataType) is null)
                        .Select(static t => (t.Name, OnnxTensors.NameOf(t.DataType))),
                ],
                model.Graph.Initializer.Any(OnnxTensors.IsExternal)
            );
}
