namespace Tensorial.Equations;

/// <summary>
/// How far a window may reach beyond the signal. What it finds there, zeros or the signal's other end, is the window's matter.
/// </summary>
public readonly record struct Padding
{
    private enum Rule
    {
        Same,
        Valid,
        Full,
        Given,
    }

    private readonly Rule _rule;
    private readonly int _before,
        _after;

    private Padding(Rule rule, int before = 0, int after = 0) => (_rule, _before, _after) = (rule, before, after);

    /// <summary>
    /// ⌈signal / stride⌉ positions. An odd rest of padding goes to the end in correlations (SAME_UPPER of ONNX), to the beginning in
    /// convolutions (NumPy's <c>same</c>).
    /// </summary>
    public static Padding Same => default;

    /// <summary>Only positions at which all kernels lie within the signal.</summary>
    public static Padding Valid => new(Rule.Valid);

    /// <summary>All positions at which the kernels touch the signal.</summary>
    public static Padding Full => new(Rule.Full);

    /// <summary>So many values before and after the signal; negative numbers crop it.</summary>
    public static Padding From(int before, int after) => new(Rule.Given, before, after);

    internal (int Before, int After) For(int signal, int span, int stride, WindowKind kind)
    {
        switch (_rule)
        {
            case Rule.Valid:
                return (0, 0);
            case Rule.Full:
                return (span, span);
            case Rule.Given:
                return (_before, _after);
            default:
                long positions = ((long)signal + stride - 1) / stride;
                int total = (int)Math.Clamp((positions - 1) * stride + span + 1 - signal, 0, int.MaxValue);
                int before = kind == WindowKind.Correlation ? total / 2 : total - total / 2;
                return (before, total - before);
        }
    }

    /// <summary><c>same</c>, <c>valid</c>, <c>full</c> or numbers, <c>1</c> or <c>1:2</c>.</summary>
    public static bool TryParse(string text, out Padding padding)
    {
        string[] parts = text.Split(':');
        int before = 0,
            after = 0;
        bool given = parts.Length <= 2 && int.TryParse(parts[0], out before) && int.TryParse(parts[^1], out after);
        padding = text switch
        {
            "same" => Same,
            "valid" => Valid,
            "full" => Full,
            _ => From(before, after),
        };
        return given || text is "same" or "valid" or "full";
    }

    /// <inheritdoc/>
    public override string ToString() =>
        _rule != Rule.Given ? _rule.ToString().ToLowerInvariant()
        : _before == _after ? $"{_before}"
        : $"{_before}:{_after}";
}
