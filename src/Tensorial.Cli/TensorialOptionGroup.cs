using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>Which layers are trained as factors, in which format and at which rate.</summary>
internal sealed record TensorialLayers(KernelFormat Format, double Rate, string[] Layers, string[] Keep)
{
    /// <summary>Whatever decides the network.</summary>
    public string Signature =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Format} at {Rate}, layers {string.Join(' ', Layers)}, keep {string.Join(' ', Keep)}"
        );

    /// <summary>The network with layers as factors, drawn where its weights are fresh, and otherwise fitted to them.</summary>
    public (Graph Graph, ImmutableArray<CompressedLayer> Layers) ApplyTo(
        Graph graph,
        bool isFresh,
        ImageSet images,
        int batch,
        RewriteOptions fitting,
        ResultCache memory,
        Terminal terminal,
        CancellationToken cancel
    )
    {
        Graph file = graph;
        graph = file.WithImageShape(images.ImageShape);
        LayerChoice choice = LayerChoice.From(graph, Layers, Keep, file);
        ImmutableArray<CompressionCandidate> chosen = Tensorization.Choose(choice.Layers, Format, Rate, batch, isTrained: !isFresh);
        ImmutableDictionary<string, TensorFactors<double>> fits = ImmutableDictionary<string, TensorFactors<double>>.Empty;
        Graph small;
        if (isFresh)
            small = Tensorization.InitializeFactorized(graph, chosen, fitting.Seed);
        else
            (small, fits) = terminal.WithProgress(progress => new Compressor(graph, images, fitting, memory).Run(chosen, progress, cancel));
        return (
            small.WithDynamicDimensionsOf(file),
            CompressedLayer.InOrder(
                graph,
                [
                    .. chosen.Select(c =>
                        CompressedLayer.From(c, fits.GetValueOrDefault(c.Layer.Name), $"in {Format} it would not be smaller")
                    ),
                    .. choice.Kept.Select(CompressedLayer.From),
                ]
            )
        );
    }

    internal sealed class Group
    {
        private readonly Option<KernelFormat?> _format = new("--format")
        {
            HelpName = "FORMAT",
            Description =
                $"Train layers as factors: {string.Join(", ", KernelFormat.All)}; rcp:2 splits channels in two, bt:4 adds four terms; an equation such as \"ri,sr,shw,os->oihw\" is a format of your own. Factors of a fresh network are drawn, those of a trained one fitted.",
            CustomParser = static result => CommonOptions.Each(result, KernelFormat.Parse).FirstOrDefault(),
        };

        private readonly Option<double?> _rate = new("--rate")
        {
            HelpName = "PART",
            Description = "Part of each layer's parameters that its factors may hold.",
        };
        private readonly Option<string[]> _layers = CommonOptions.Layers(),
            _keep = CommonOptions.Keep();

        public void AddTo(Command command)
        {
            foreach (Option option in (Option[])[_format, _rate, _layers, _keep])
                command.Options.Add(option);
        }

        /// <summary>What was asked for; null where all layers stay dense.</summary>
        /// <exception cref="UsageException">The options do not go together.</exception>
        public TensorialLayers? Read(ParseResult parsed)
        {
            if (parsed.GetValue(_format) is not { } format)
                return parsed.GetValue(_rate) is null && parsed.GetValue(_layers) is [] && parsed.GetValue(_keep) is []
                    ? null
                    : throw new UsageException("--rate, --layers and --keep say how --format is to be used: give --format too.");
            if (parsed.GetValue(_rate) is not { } rate)
                throw new UsageException($"How small in {format}? Give --rate 0.1 for a tenth of each layer's parameters.");
            if (!(rate > 0 && rate < 1))
                throw new UsageException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"--rate is the part of the parameters that is left, above 0 and below 1; not {rate}."
                    )
                );
            return new(format, rate, parsed.GetValue(_layers)!, parsed.GetValue(_keep)!);
        }
    }
}
