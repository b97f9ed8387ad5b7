using System.ComponentModel.DataAnnotations;

namespace Tensorial.Analysis;

/// <summary>
/// What <c>analyze</c> found out about a network: spectra of every kernel along every cut and, where images were given, the
/// accuracy that is left when kernels are truncated. Written as JSON (see <c>docs/json.md</c>); reading it back gives an equal report.
/// </summary>
public sealed record AnalysisReport
{
    /// <summary>Raised when a field changes its meaning or goes away; new fields do not raise it.</summary>
    public int SchemaVersion { get; init; } = 1;

    /// <summary>What was run: tool, model, data, machine.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>Parameters and multiply-accumulates of the network.</summary>
    public required ModelSummary Model { get; init; }

    /// <summary>Kernels that were cut, in the order of the network.</summary>
    public ValueList<LayerAnalysis> Layers { get; init; } = [];

    /// <summary>Weights that cannot be cut, or were not asked for, and why.</summary>
    public ValueList<UncutLayer> Uncut { get; init; } = [];

    /// <summary>The untouched network on the same images; null without data.</summary>
    public Evaluation? Baseline { get; init; }

    /// <summary>The untouched network after its batch-norm statistics were estimated again; null where this was not asked for.</summary>
    public Evaluation? RecalibratedBaseline { get; init; }

    /// <summary>Measurements the sweep consists of; more than <see cref="Truncations"/> holds where shards are still missing.</summary>
    [Range(0, int.MaxValue)]
    public int PlannedTruncations { get; init; }

    /// <summary>Accuracy after each truncation; empty where there were no images.</summary>
    public ValueList<TruncationResult> Truncations { get; init; } = [];
}

/// <summary>Size of the whole network, as <c>inspect</c> counts it: multiply-accumulates for one image.</summary>
public sealed record ModelSummary(
    string Name,
    [property: Range(0, long.MaxValue)] long Parameters,
    [property: Range(0, long.MaxValue)] long KernelParameters,
    [property: Range(0, long.MaxValue)] long Macs
);

/// <summary>A convolution or dense kernel and its spectra.</summary>
public sealed record LayerAnalysis
{
    /// <summary>The weight's initializer name.</summary>
    public required string Name { get; init; }

    /// <summary>The node that uses it.</summary>
    public required string Node { get; init; }

    /// <summary>The node's operation, such as <c>Conv</c> or <c>Gemm</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Extents in the order stored.</summary>
    public required ValueList<int> Shape { get; init; }

    /// <summary>One letter for each axis, in the order stored: o, i, d, h, w.</summary>
    public required ValueList<string> Axes { get; init; }

    /// <summary>Convolution groups; a grouped kernel is cut as it is stored, with i/groups input channels.</summary>
    [Range(1, int.MaxValue)]
    public int Groups { get; init; } = 1;

    /// <summary>Values of the kernel.</summary>
    [Range(0, long.MaxValue)]
    public long Parameters { get; init; }

    /// <summary>Multiply-accumulates of the node for one image.</summary>
    [Range(0, long.MaxValue)]
    public long Macs { get; init; }

    /// <summary>Frobenius norm ||K||.</summary>
    [Range(0, double.MaxValue)]
    public double Norm { get; init; }

    /// <summary>The spectrum along every cut.</summary>
    public ValueList<CutSpectrum> Cuts { get; init; } = [];
}

/// <summary>A weight without spectra, and why.</summary>
public sealed record UncutLayer(string Name, string Node, ValueList<int> Shape, string Reason);
