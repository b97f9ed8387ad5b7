using System.Collections.Immutable;
using Tensorial.Analysis;

namespace Tensorial.Compression;

/// <summary>Formats beside each other at equal sizes: the JSON of <c>compare</c>, and what its report says.</summary>
internal sealed record FormatComparison
{
    public int SchemaVersion { get; init; } = 1;

    /// <summary>File name of the network.</summary>
    public required string Model { get; init; }

    /// <summary>Images that the networks were compared on; null where errors of kernels alone say what a format costs.</summary>
    public string? Data { get; init; }

    /// <summary>Of the dense network.</summary>
    public required long Parameters { get; init; }

    /// <summary>Of the layers that were written as factors, dense.</summary>
    public required long LayerParameters { get; init; }

    /// <summary>Of the dense network, for one image.</summary>
    public required long Macs { get; init; }

    /// <summary>How well the dense network classifies; null without labels.</summary>
    public Evaluation? Dense { get; init; }

    /// <summary>Networks with every layer in one format at one rate.</summary>
    public required ImmutableArray<ComparedFormat> Networks { get; init; }

    /// <summary>Every layer in every format at every rate.</summary>
    public required ImmutableArray<ComparedLayer> Layers { get; init; }

    /// <summary>Layers that stay as they are, and why.</summary>
    public ImmutableArray<KeptLayer> Kept { get; init; } = [];

    public required Provenance Provenance { get; init; }
}

/// <summary>The network with its layers in one format, each at the same part of its own parameters.</summary>
/// <param name="Format">The format.</param>
/// <param name="Rate">Part of each layer's parameters that was asked for.</param>
/// <param name="Parameters">Of the whole network.</param>
/// <param name="LayerParameters">Of the layers that may change.</param>
/// <param name="Macs">Of the whole network, for one image.</param>
/// <param name="RelativeError">Root mean square of the layers' relative errors, weighted by ‖K‖².</param>
/// <param name="Dominated">Whether another network is no larger and no worse, and better in one of both: worse by accuracy, where that was
/// measured, by damage where there are no labels, by error without data.</param>
internal sealed record ComparedFormat(
    string Format,
    double Rate,
    long Parameters,
    long LayerParameters,
    long Macs,
    double RelativeError,
    bool Dominated = false
)
{
    /// <summary>Mean KL divergence of the predictions from the dense network's, nats; null without data, or where no output scores classes.</summary>
    public double? KlDivergence { get; init; }

    /// <summary>Relative error of the outputs; null without data.</summary>
    public double? OutputError { get; init; }

    /// <summary>Part of the images that get the class that the dense network gives; null without data.</summary>
    public double? Agreement { get; init; }

    /// <summary>Part classified correctly; null without labels.</summary>
    public double? Top1 { get; init; }

    /// <summary>What counts: least is best.</summary>
    internal double Cost => -Top1 ?? KlDivergence ?? OutputError ?? RelativeError;
}

/// <summary>One layer in one format at one rate.</summary>
/// <param name="Name">The weight's initializer name.</param>
/// <param name="Format">The format.</param>
/// <param name="Rate">Part of its parameters that was asked for.</param>
/// <param name="Ranks">The largest ranks within it; at least 1 each.</param>
/// <param name="ParametersBefore">Of the dense kernel.</param>
/// <param name="Parameters">Of the factors.</param>
/// <param name="MacsBefore">Of the dense layer, for one image.</param>
/// <param name="Macs">Of the factors.</param>
/// <param name="RelativeError">‖K - K̃‖ / ‖K‖, outputs scaled by the batch norm behind; with data in the measure of what the layer reads.</param>
/// <param name="Sensitivity">KL divergence of the predictions with this layer alone in the format, nats; null without data.</param>
/// <param name="Dominated">Whether another form of the layer is no larger and no worse, and better in one of both.</param>
internal sealed record ComparedLayer(
    string Name,
    string Format,
    double Rate,
    ImmutableArray<int> Ranks,
    long ParametersBefore,
    long Parameters,
    long MacsBefore,
    long Macs,
    double RelativeError,
    double? Sensitivity,
    bool Dominated = false
)
{
    /// <summary>What counts: least is best.</summary>
    internal double Cost => Sensitivity ?? RelativeError;
}
