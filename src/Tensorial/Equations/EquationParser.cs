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
    /// <summary>Characters of a message about the text: as much as an eye takes in.</summary>
    private const int Shown = 120;

    private readonly List<string> _names = [];
    private readonly Dictionary<string, int> _indices = [];
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

        HashSet<char> known = [.. inputs.SelectMany(static input => input, static (_, place) => place.Axis)],
            named = [];
        foreach (Place place in output)
        {
            if (!known.Contains(place.Axis))
                throw Error($"no operand has the output's '{Name(place)}'", place.At);
            if (!named.Add(place.Axis))
                throw Error($"the output names '{Name(place)}' twice", place.At);
        }
        return new([.. inputs.Select(Axes)], Axes(output)) { Windows = [.. windows], Names = [.. _names] };
    }

    private static string Axes(Place[] places) => new([.. places.Select(static place => place.Axis)]);

    private Place[] Term()
    {
        List<Place> places = [];
        bool hasEllipsis = false;
        for (; !AtEnd(); _at++)
        {
            int start = _at;
            if (text.AsSpan(_at).StartsWith("..."))
            {
                if (hasEllipsis)
                    throw Error("an operand has more than one '...'", start);
                hasEllipsis = true;
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
        if (!_indices.TryGetValue(name, out int index))
        {
            index = _names.Count;
            if (index > char.MaxValue - Equation.FirstNamed)
                throw Error($"it has more than {index:N0} axes with names of several letters", _at);
            _names.Add(name);
            _indices.Add(name, index);
        }
        return (char)(Equation.FirstNamed + index);
    }

    private IEnumerable<Window> Windows(List<Place[]> inputs)
    {
        List<Place> seen = [];
        Dictionary<char, int> holders = [];
        Dictionary<char, Place> repeats = [];
        foreach (Place[] input in inputs)
        {
            HashSet<char> own = [];
            foreach (Place place in input)
                if (own.Add(place.Axis))
                    holders[place.Axis] = holders.GetValueOrDefault(place.Axis) + 1;
                else
                    repeats.TryAdd(place.Axis, place);
        }
        HashSet<char> convolved = [];
        do
        {
            int first = seen.Count;
            for (; !AtEnd(); _at++)
            {
                int start = _at;
                if (Axis() is not { } axis)
                    break;
                Place place = new(axis, start);
                int count = holders.GetValueOrDefault(axis);
                if (!convolved.Add(axis))
                    throw Error($"'{Name(place)}' is convolved twice", start);
                if (count < 2)
                    throw Error($"'{Name(place)}' is convolved, which takes two operands or more that have it, not {count}", start);
                if (repeats.TryGetValue(axis, out Place again))
                    throw Error($"an operand names '{Name(place)}' twice, and it is convolved", again.At);
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
        Place[] all = [.. inputs.SelectMany(static input => input)];
        Dictionary<char, int> counts = all.CountBy(static place => place.Axis).ToDictionary();
        IEnumerable<Place> once = all.Where(place => place.Axis != Equation.Ellipsis && counts[place.Axis] == 1)
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

    private BadInputException Error(string reason, int at)
    {
        // A long text is shown where it is wrong.
        int start = text.Length <= Shown ? 0 : Math.Clamp(at - Shown / 2, 0, text.Length - Shown);
        string part = text.Substring(start, Math.Min(Shown, text.Length));
        string name = text.Length <= Shown ? $"'{text}'" : $"A text of {text.Length:N0} characters";
        return new($"{name} is no einsum equation: {reason}.\n  {part.ReplaceLineEndings(" ")}\n  {new string(' ', at - start)}^");
    }
}
