using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Cli;

/// <summary>Which images a command reads.</summary>
internal sealed record DataOptions(DataSource Source, DataSplit Split, Normalization Normalization, int? Limit)
{
    /// <summary>The images as they are stored.</summary>
    public ImageSet Open() => Source.Open(Split, Normalization, Limit);

    /// <summary>The images that go into a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="otherwise">What to do with a network that takes no images: the end of a sentence.</param>
    /// <exception cref="BadInputException">It takes none.</exception>
    public ImageSet Open(Graph graph, string otherwise)
    {
        Require(graph, otherwise);
        return Source.Suiting(graph).Open(Split, Normalization, Limit);
    }

    /// <summary>Refuses a network that does not take samples of floats at a single input.</summary>
    /// <inheritdoc cref="Open(Graph, string)"/>
    public static void Require(Graph graph, string otherwise)
    {
        Port[] inputs = [.. graph.FreeInputs];
        if (inputs is not [{ } only] || !only.Type.IsFloating())
            throw new BadInputException(
                $"The samples of --data go into a single input of floats here; this network has {inputs.Length}: {string.Join(", ", inputs.Select(static port => $"{port.Name} ({port.Type})"))}. {otherwise}"
            );
    }

    /// <summary>Warns where a network seems to have been trained on images that were normalised otherwise.</summary>
    public static void CheckNormalization(Graph graph, ImageSet? images, int threads, Terminal terminal)
    {
        if (images is not null && NormalizationCheck.From(graph, images, threads) is { IsSuspicious: true } check)
            terminal.Warn(
                $"warning: {check} The images may not be normalised as in training: see --normalize, --mean, --std, --scale, --bgr, --preset."
            );
    }

    /// <summary>The options that say so, for commands to share.</summary>
    internal sealed class Group(bool required)
    {
        private readonly ImageOptionGroup _images = new(required);
        private readonly Option<DataSplit?> _split = CommonOptions.Split();
        private readonly Option<int?> _limit = CommonOptions.Limit();

        public void AddTo(Command command)
        {
            _images.AddTo(command);
            command.Options.Add(_split);
            command.Options.Add(_limit);
        }

        /// <summary>The images asked for; null where --data was not given.</summary>
        public DataOptions? Read(ParseResult parsed, DataSplit split) =>
            _images.Read(parsed) is { } set
                ? new(set.Source, parsed.GetValue(_split) ?? split, set.Normalization, parsed.GetValue(_limit))
                : null;
    }
}
