using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Tensorial.Cli;

/// <summary>Mistakes in options, told without the names of our types.</summary>
internal static partial class OptionMessages
{
    /// <summary>The message of an error; where a value could not be read, what the option takes.</summary>
    public static string Of(ParseError error) =>
        UnreadableValue().Match(error.Message) is { Success: true } match && TypeOf(error.SymbolResult) is { } type
            ? $"{match.Groups[2].Value} takes {WordsFor(type)}, not '{match.Groups[1].Value}'."
            : error.Message;

    private static Type? TypeOf(SymbolResult? result) =>
        result switch
        {
            OptionResult option => option.Option.ValueType,
            ArgumentResult argument => TypeOf(argument.Parent) ?? argument.Argument.ValueType,
            _ => null,
        };

    private static string WordsFor(Type type)
    {
        Type own = Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type;
        return own.IsEnum ? string.Join(" or ", Enum.GetNames(own).Select(static name => name.ToLower(CultureInfo.InvariantCulture)))
            : own == typeof(int) || own == typeof(long) ? "a whole number"
            : own == typeof(double) || own == typeof(float) ? "a number"
            : "another value";
    }

    [GeneratedRegex(@"^Cannot parse argument '(.*)' for (?:option|command|argument) '(.*)' as expected type", RegexOptions.Singleline)]
    private static partial Regex UnreadableValue();
}
