using System.CommandLine;
using Tensorial.Data;

namespace Tensorial.Cli;

/// <summary>Which labelled images a command reads.</summary>
internal sealed record DataOptions(DataSource Source, Split Split, Normalization Normalization, int? Limit)
{
    public ImageSet Open() => Source.Open(Split, Normalization, Limit);

    /// <summary>The four options that say so, for commands to share.</summary>
    internal sealed class Group
    {
        private readonly Option<string?> _data = CommonOptions.Data();
        private readonly Option<string> _normalize = CommonOptions.Normalize();
        private readonly Option<Split?> _split = CommonOptions.Split();
        private readonly Option<int?> _limit = CommonOptions.Limit();

        public Group(bool required) => _data.Required = required;

        public void AddTo(Command command)
        {
            command.Options.Add(_data);
            command.Options.Add(_normalize);
            command.Options.Add(_split);
            command.Options.Add(_limit);
        }

        /// <summary>The images asked for; null where --data was not given.</summary>
        public DataOptions? Read(ParseResult parsed, Split split) =>
            parsed.GetValue(_data) is { } data
                ? new(
                    DataSource.Parse(data),
                    parsed.GetValue(_split) ?? split,
                    Normalization.Parse(parsed.GetValue(_normalize)!),
                    parsed.GetValue(_limit)
                )
                : null;
    }
}
