using System.Collections;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Tensorial.Cli;

/// <summary>The help of a command: how it is typed, what it does, arguments and options with their defaults as they are typed.</summary>
internal sealed class HelpText(Terminal terminal) : SynchronousCommandLineAction
{
    private const string ExitCodes =
        "Exit codes: 0 done; 1 a goal that was asked for was not met; 2 usage; 3 bad or unsupported input; "
        + "4 file or network error; 5 numerical failure or out of memory; 130 cancelled.";

    /// <summary>Columns of a text that is read with ease, and where a pipe tells none.</summary>
    private const int MostColumns = 120;

    /// <summary>Columns that names take; a description starts on a line of its own beside a longer one.</summary>
    private const int MostForNames = 30;

    /// <summary>Gives a tree of commands this help.</summary>
    public static void Install(RootCommand root, Terminal terminal)
    {
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpText(terminal);
            help.Description = "Show this help.";
        }
        foreach (VersionOption version in root.Options.OfType<VersionOption>())
            version.Description = "Show the version.";
    }

    /// <summary>Arguments that are missing do not matter to help.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        foreach (string line in Lines(parseResult.CommandResult.Command, Math.Min(terminal.Width ?? MostColumns, MostColumns)))
            terminal.Say(line);
        return 0;
    }

    /// <summary>The text, no line wider than asked for but where a word is.</summary>
    public static IEnumerable<string> Lines(Command command, int width)
    {
        foreach (string line in Indented(command.Description ?? "", "", width))
            yield return line;
        yield return "";
        yield return "Usage:";
        foreach (string line in Indented(Usage(command), "  ", width))
            yield return line;
        (string Heading, (string, string)[] Rows)[] sections =
        [
            ("Arguments:", [.. command.Arguments.Select(static argument => ($"<{NameOf(argument)}>", argument.Description ?? ""))]),
            ("Options:", [.. OptionsOf(command).Select(static option => (Label(option), DescriptionOf(option)))]),
            ("Commands:", [.. command.Subcommands.Select(static sub => (sub.Name, FirstSentence(sub.Description ?? "")))]),
        ];
        foreach ((string heading, (string, string)[] rows) in sections.Where(static section => section.Rows.Length > 0))
        {
            yield return "";
            yield return heading;
            foreach (string line in TwoColumns(rows, width))
                yield return line;
        }
        yield return "";
        if (command.Subcommands.Count > 0)
            yield return $"{Words(command)} COMMAND --help explains a command.";
        foreach (string line in Indented(ExitCodes, "", width))
            yield return line;
    }

    private static string FirstSentence(string text) => text.Split(". ")[0].TrimEnd('.') + ".";

    private static IEnumerable<string> TwoColumns((string Name, string Text)[] rows, int width)
    {
        int names = Math.Min(MostForNames, rows.Max(static row => TableLayout.Cells(row.Name)));
        string indent = new(' ', names + 4);
        foreach ((string name, string text) in rows)
        {
            string[] lines = [.. Indented(text, indent, width)];
            bool fits = TableLayout.Cells(name) <= names && lines.Length > 0;
            yield return fits ? $"  {name.PadRight(names + 2)}{lines[0].TrimStart()}" : $"  {name}";
            foreach (string line in fits ? lines[1..] : lines)
                yield return line;
        }
    }

    private static IEnumerable<string> Indented(string text, string indent, int width) =>
        text.Length == 0
            ? []
            : TableLayout
                .Wrap(string.Join(' ', text.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)), width - indent.Length)
                .Select(line => indent + line);

    private static string Usage(Command command) =>
        string.Join(
            ' ',
            [
                Words(command),
                .. command.Arguments.Select(static argument =>
                    argument.Arity.MinimumNumberOfValues == 0 ? $"[<{NameOf(argument)}>]"
                    : argument.Arity.MaximumNumberOfValues > 1 ? $"<{NameOf(argument)}>..."
                    : $"<{NameOf(argument)}>"
                ),
                .. command.Options.Where(static option => option.Required).Select(Label),
                command.Subcommands.Count > 0 ? "COMMAND" : "[options]",
            ]
        );

    /// <summary>The command as it is typed, such as <c>tensorial data get</c>.</summary>
    public static string Words(Command command) =>
        command is RootCommand ? "tensorial"
        : command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Words(parent)} {command.Name}"
        : command.Name;

    /// <summary>A command's own options, and those of the tool that hold everywhere.</summary>
    private static IEnumerable<Option> OptionsOf(Command command) =>
        command
            .Options.Concat(
                command.Parents.OfType<Command>().SelectMany(static parent => parent.Options.Where(static option => option.Recursive))
            )
            .Where(static option => !option.Hidden);

    private static string NameOf(Argument argument) => argument.HelpName ?? argument.Name;

    private static string Label(Option option)
    {
        string names = option is HelpOption ? "-h, --help" : option.Name;
        return option.ValueType == typeof(bool) && option.HelpName is null || option is HelpOption or VersionOption
            ? names
            : $"{names} <{option.HelpName ?? "VALUE"}>";
    }

    /// <summary>What the option means and, unless the text says so itself, what holds without it.</summary>
    private static string DescriptionOf(Option option)
    {
        string text = option.Description ?? "";
        if (option.Required)
            return $"{text} Required.";
        return
            !option.HasDefaultValue
            || text.Contains("default", StringComparison.OrdinalIgnoreCase)
            || Typed(option.GetDefaultValue()) is not { Length: > 0 } usual
            ? text
            : $"{text} Default: {usual}.";
    }

    /// <summary>A value as it is typed on a command line; empty where there is nothing to type.</summary>
    public static string Typed(object? value) =>
        value switch
        {
            null or false => "",
            string text => text,
            bool => "true",
            Enum name => TypedName(name.ToString()),
            IEnumerable items => string.Join(',', items.Cast<object>().Select(Typed)),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    /// <summary>A value of an enumeration as options name it.</summary>
    public static string TypedName(string name) => name.ToLowerInvariant();
}
