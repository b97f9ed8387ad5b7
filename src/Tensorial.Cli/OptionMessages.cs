using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Tensorial.Cli;

/// <summary>Mistakes in a command line, told without the names of our types and with what was probably meant.</summary>
internal static partial class OptionMessages
{
    /// <summary>What is wrong with a command line; words that are not known stand for the errors that follow from them.</summary>
    public static IEnumerable<string> Of(ParseResult parsed)
    {
        string[] unknown = [.. parsed.UnmatchedTokens, .. Strays(parsed)];
        if (unknown.Length == 0)
            return Missing(parsed).Concat(parsed.Errors.Where(static error => !IsMissing(error)).Select(Of)).Distinct();
        // What follows an unknown option is most likely its value, and what follows an unknown command that command's.
        string[] options = [.. unknown.Where(IsOption)];
        bool isCommand = parsed.CommandResult.Command.Subcommands.Count > 0 && !IsOption(unknown[0]);
        return (options.Length > 0 && !isCommand ? options : unknown[..1])
            .Select(word => Unknown(word, parsed.CommandResult.Command))
            .Concat(parsed.Errors.Where(error => error.SymbolResult is OptionResult && !IsMissing(error)).Select(Of))
            .Distinct();
    }

    /// <summary>Words that were taken for files and are most likely options that the command does not have.</summary>
    public static IEnumerable<string> Strays(ParseResult parsed) =>
        parsed
            .CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(static argument => argument.Tokens)
            .Select(static token => token.Value)
            .Where(static word => word.StartsWith("--", StringComparison.Ordinal) && !File.Exists(word));

    private static bool IsOption(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]);

    /// <summary>An argument, or an option that must be given.</summary>
    private static bool IsMissing(ParseError error) => Required().IsMatch(error.Message);

    /// <summary>All that a command needs and did not get, in one sentence.</summary>
    private static string[] Missing(ParseResult parsed)
    {
        string[] missing =
        [
            .. parsed.Errors.Select(static error => Required().Match(error.Message)).Where(static m => m.Success).Select(Named),
        ];
        return missing.Length == 0 ? [] : [$"{HelpText.Words(parsed.CommandResult.Command)} needs {string.Join(" and ", missing)}."];

        static string Named(Match match) => match.Groups[1].Success ? match.Groups[1].Value : $"<{match.Groups[2].Value}>";
    }

    private static string Unknown(string word, Command command)
    {
        string[] names = IsOption(word)
            ?
            [
                .. command
                    .Options.Concat(command.Parents.OfType<Command>().SelectMany(static parent => parent.Options))
                    .Select(static option => option.Name),
            ]
            : [.. command.Subcommands.Select(static sub => sub.Name)];
        string words = HelpText.Words(command),
            what = IsOption(word) ? $"{words} has no option '{word}'."
            : names.Length > 0 ? $"'{word}' is no command of {words}."
            : $"{words} takes no further argument, as '{word}' is.";
        return what + NearestWord.Hint(word, names);
    }

    /// <summary>The message of an error; where a value could not be read, what the option takes.</summary>
    private static string Of(ParseError error) =>
        UnreadableValue().Match(error.Message) is { Success: true } match && TypeOf(error.SymbolResult) is { } type
            ? $"{match.Groups[2].Value} takes {WordsFor(type, match.Groups[1].Value)}"
            : error.Message;

    private static Type? TypeOf(SymbolResult? result) =>
        result switch
        {
            OptionResult option => option.Option.ValueType,
            ArgumentResult argument => TypeOf(argument.Parent) ?? argument.Argument.ValueType,
            _ => null,
        };

    private static string WordsFor(Type type, string given)
    {
        Type own = Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type;
        string[] names = own.IsEnum ? [.. Enum.GetNames(own).Select(HelpText.TypedName)] : [];
        string words =
            own.IsEnum ? Either(names)
            : own == typeof(int) || own == typeof(long) ? "a whole number"
            : own == typeof(double) || own == typeof(float) ? "a number"
            : own == typeof(bool) ? "true or false"
            : "another value";
        return $"{words}, not '{given}'.{NearestWord.Hint(given, names)}";
    }

    private static string Either(string[] words) =>
        words.Length < 2 ? string.Concat(words) : $"{string.Join(", ", words[..^1])} or {words[^1]}";

    [GeneratedRegex("^Option '(.*)' is required|^Required argument '(.*)' missing for command")]
    private static partial Regex Required();

    [GeneratedRegex(@"^Cannot parse argument '(.*)' for (?:option|command|argument) '(.*)' as expected type", RegexOptions.Singleline)]
    private static partial Regex UnreadableValue();
}
