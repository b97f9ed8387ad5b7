namespace Tensorial.Equations;

/// <summary>From equation to text, such that reading the text gives the equation again.</summary>
internal static class EquationText
{
    public static string Of(Equation equation)
    {
        string text = $"{string.Join(',', equation.Inputs.Select(axes => Term(equation, axes)))}->{Term(equation, equation.Output)}";
        return equation.Windows.IsEmpty ? text : $"{text}|{Windows(equation)}";
    }

    /// <summary>Axes as an operand names them.</summary>
    public static string Term(Equation equation, IEnumerable<char> axes) => string.Concat(axes.Select(axis => Name(equation.NameOf(axis))));

    /// <summary>A letter with digits behind it stands for itself; any other name stands in parentheses.</summary>
    private static string Name(string name) =>
        name == "..." || (char.IsAsciiLetter(name[0]) && name.Skip(1).All(char.IsAsciiDigit)) ? name : $"({name})";

    /// <summary>Neighbours that are convolved alike share their brackets.</summary>
    private static string Windows(Equation equation)
    {
        List<(string Names, string Options)> groups = [];
        foreach (Window window in equation.Windows)
        {
            string name = Name(equation.NameOf(window.Axis)),
                options = Options(window);
            if (groups.Count > 0 && groups[^1].Options == options)
                groups[^1] = (groups[^1].Names + name, options);
            else
                groups.Add((name, options));
        }
        return string.Join(',', groups.Select(static group => group.Names + group.Options));
    }

    private static string Options(Window window)
    {
        Window usual = new(window.Axis);
        List<string> options = [];
        if (window.Kind != usual.Kind)
            options.Add("convolution");
        if (window.Stride != usual.Stride)
            options.Add($"stride={window.Stride}");
        if (window.Dilation != usual.Dilation)
            options.Add($"dilation={window.Dilation}");
        if (window.Padding != usual.Padding)
            options.Add($"pad={window.Padding}");
        if (window.IsCircular)
            options.Add("circular");
        return options.Count == 0 ? "" : $"[{string.Join(' ', options)}]";
    }
}
