using System.Globalization;

namespace Tensorial.Equations;

/// <summary>
/// From text to equation; all errors of syntax are born here, and point at the character.
/// <code>
/// equation = term {"," term} ["->" term] ["|" group {"," group}]
/// term     = {axis | "..."}
/// axis     = letter {digit} | "(" name ")"
/// group    = axis {axis} ["[" option {option} "]"]
/// option   = "stride=" n | "dilation=" n | "pad=" ("same" | "valid" | "full" | n [":" n]) | "circular" | "convolution" | "correlation"
/// </code>
/// Blanks mean nothing, except between options.
/// </summary>
internal sealed class EquationParser(string text)
{
    private readonly List<string> _names = [];
    private int _at;

    /// <summary>An axis and where the text names it.</summary>
    private readonly record struct Place(char Axis, int At);

    public Equation Read()
    {
        List<Place[]> inputs = [Term()];
        while (Took(','))
            inputs.Add(Term());
        Place[] output = [.. TookArrow() ? Term() : Implied(inputs)];
        if (_at < text.Length && text[_at] is '-' or '>')
            throw Error("it has more than one arrow", _at);
        Window[] windows = Took('|') ? [.. Windows(inputs)] : [];
        if (!AtEnd())
            throw Unexpected();

        foreach (Place place in output)
        {
            if (!inputs.Any(input => input.Any(own => own.Axis == place.Axis)))
                throw Error($"no operand has the output's '{Name(place)}'", place.At);
            if (output.First(own => own.Axis == place.Axis) != place)
                throw Error($"the output names '{Name(place)}' twice", place.At);
        }
        return new([.. inputs.Select(Axes)], Axes(output)) { Windows = [.. windows], Names = [.. _names] };
    }

    private static string Axes(Place[] places) => new([.. places.Select(static place => place.Axis)]);

    private Place[] Term()
    {
        List<Place> places = [];
        for (; !AtEnd(); _at++)
        {
            int start = _at;
            if (text.AsSpan(_at).StartsWith("..."))
            {
                if (places.Any(static place => place.Axis == Equation.Ellipsis))
                    throw Error("an operand has more than one '...'", start);
                places.Add(new(Equation.Ellipsis, start));
                _at += 2;
            }
            else if (Axis() is { } axis)
                places.Add(new(axis, start));
            else if (text[_at] is ',' or '|' or '-')
                break;
            else
                throw Unexpected();
        }
        return [.. places];
    }

    /// <summary>The axis that starts here, leaving its last character to be passed; null, and nothing taken, where none does.</summary>
    private char? Axis()
    {
        if (text[_at] == '(')
        {
            int close = text.IndexOf(')', _at);
            if (close < 0)
                throw Error("this parenthesis is never closed", _at);
            string name = text[(_at + 1)..close].Trim();
            if (name.Length == 0)
                throw Error("an axis needs a name", _at);
            for (int i = _at + 1; i < close; i++)
                if (!char.IsAsciiLetterOrDigit(text[i]) && text[i] is not ('_' or '-' or ' '))
                    throw Error($"'{text[i]}' cannot stand in a name", i);
            _at = close;
            return Named(name);
        }
        if (!char.IsAsciiLetter(text[_at]))
            return null;
        int start = _at;
        while (_at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1]))
            _at++;
        return Named(text[start..(_at + 1)]);
    }

    private char Named(string name)
    {
        if (name.Length == 1 && char.IsAsciiLetter(name[0]))
            return name[0];
        int index = _names.IndexOf(name);
        if (index < 0)
        {
            index = _names.Count;
            _names.Add(name);
        }
        return (char)(Equation.FirstNamed + index);
    }

    private IEnumerable<Window> Windows(List<Place[]> inputs)
    {
        List<Place> seen = [];
        do
        {
            int first = seen.Count;
            for (; !AtEnd(); _at++)
            {
                int start = _at;
                if (Axis() is not { } axis)
                    break;
                Place place = new(axis, start);
                int holders = inputs.Count(input => input.Any(own => own.Axis == axis));
                if (seen.Any(other => other.Axis == axis))
                    throw Error($"'{Name(place)}' is convolved twice", start);
                if (holders < 2)
                    throw Error($"'{Name(place)}' is convolved, which takes two operands or more that have it, not {holders}", start);
                if (
                    inputs.Select(input => input.Where(own => own.Axis == axis).Skip(1)).FirstOrDefault(static twice => twice.Any()) is
                    { } again
                )
                    throw Error($"an operand names '{Name(place)}' twice, and it is convolved", again.First().At);
                seen.Add(place);
            }
            if (first == seen.Count)
                throw Error("an axis to convolve is missing here", _at);
            Window options = Took('[') ? Options() : new(' ');
            for (int i = first; i < seen.Count; i++)
                yield return options with
                {
                    Axis = seen[i].Axis,
                };
        } while (Took(','));
    }

    private Window Options()
    {
        Window window = new(' ');
        while (!Took(']'))
        {
            if (AtEnd())
                throw Error("this bracket is never closed", text.LastIndexOf('['));
            int start = _at;
            while (_at < text.Length && text[_at] is not (' ' or ']' or ','))
                _at++;
            window = Option(window, text[start.._at], start);
            if (_at < text.Length && text[_at] == ',')
                _at++;
        }
        return window;
    }

    private Window Option(Window window, string word, int at)
    {
        string[] parts = word.Split('=', 2);
        string value = parts[^1];
        int valueAt = at + word.Length - value.Length;
        switch (parts)
        {
            case ["stride", _]:
                return window with { Stride = Count(value, valueAt) };
            case ["dilation", _]:
                return window with { Dilation = Count(value, valueAt) };
            case ["pad", _]:
                return Padding.TryParse(value, out Padding padding)
                    ? window with
                    {
                        Padding = padding,
                    }
                    : throw Error($"padding is same, valid, full, a number or two such as 1:2, not '{value}'", valueAt);
            case ["circular"]:
                return window with { IsCircular = true };
            case ["convolution"]:
                return window with { Kind = WindowKind.Convolution };
            case ["correlation"]:
                return window with { Kind = WindowKind.Correlation };
            default:
                throw Error($"'{word}' is none of stride=N, dilation=N, pad=…, circular, convolution, correlation", at);
        }
    }

    private int Count(string value, int at) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            ? count
            : throw Error($"a whole number from 1 on is needed, not '{value}'", at);

    /// <summary>The stretched axes, then every axis that occurs exactly once, in alphabetical order (NumPy's rule).</summary>
    private Place[] Implied(List<Place[]> inputs)
    {
        if (!AtEnd() && text[_at] == '|')
            throw Error("an equation with convolved axes needs its output written out, as in 'nx,kx->nkx|x'", _at);
        IEnumerable<Place> all = inputs.SelectMany(static input => input);
        IEnumerable<Place> once = all.Where(place => place.Axis != Equation.Ellipsis && all.Count(own => own.Axis == place.Axis) == 1)
            .OrderBy(Name, StringComparer.Ordinal);
        return [.. all.Where(static place => place.Axis == Equation.Ellipsis).Take(1), .. once];
    }

    private string Name(Place place) =>
        place.Axis switch
        {
            Equation.Ellipsis => "...",
            >= Equation.FirstNamed => _names[place.Axis - Equation.FirstNamed],
            _ => place.Axis.ToString(),
        };

    private bool AtEnd()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
        return _at == text.Length;
    }

    private bool Took(char wanted)
    {
        if (AtEnd() || text[_at] != wanted)
            return false;
        _at++;
        return true;
    }

    private bool TookArrow()
    {
        if (AtEnd() || text[_at] != '-')
            return false;
        if (!text.AsSpan(_at).StartsWith("->"))
            throw Unexpected();
        _at += 2;
        return true;
    }

    private BadInputException Unexpected() =>
        Error($"'{text[_at]}' cannot stand here; axes are letters (with digits behind them), or names in parentheses", _at);

    private BadInputException Error(string reason, int at) =>
        new($"'{text}' is no einsum equation: {reason}.\n  {text.ReplaceLineEndings(" ")}\n  {new string(' ', at)}^");
}
