using System.Globalization;

namespace Tensorial.Cli;

/// <summary>
/// How far work has come and how long the rest takes, by what was done since it was first reported: what was there before a run, a resumed
/// sweep's measurements, says nothing about its speed. Work that begins again from less is counted anew.
/// </summary>
internal sealed class ProgressRate
{
    private Progress? _latest;
    private (double Done, double Part, TimeSpan At) _start;

    /// <summary>The part that is done; null where it is not known.</summary>
    public double? Part => _latest is { Total: > 0 } or { Part: not null } ? PartOf(_latest!.Value) : null;

    public void Report(Progress value, TimeSpan now)
    {
        if (!Continues(value))
            _start = (value.Done, PartOf(value), now);
        _latest = value;
    }

    /// <summary>Nothing is being done that was reported.</summary>
    public void Forget() => _latest = null;

    /// <summary>The work, how much of it is done and how long the rest takes; null where nothing was reported.</summary>
    public string? Text(TimeSpan now)
    {
        if (_latest is not { } value)
            return null;
        double seconds = (now - _start.At).TotalSeconds,
            part = PartOf(value),
            partPerSecond = (part - _start.Part) / seconds;
        string left =
            Part is < 1 && partPerSecond > 0 && double.IsFinite((1 - part) / partPerSecond)
                ? $", about {TimeSpan.FromSeconds(Math.Round(Math.Min(1e9, (1 - part) / partPerSecond))):h\\:mm\\:ss} left"
                : "";
        return $"{value.Work}: {Amount(value, (value.Done - _start.Done) / seconds)}{left}";
    }

    /// <summary>Whether it is more of the work before: the same, or its next section, with more of the whole done.</summary>
    private bool Continues(Progress value) =>
        _latest is { } before
        && PartOf(value) >= PartOf(before)
        && (value.Work == before.Work || (value.Part is not null && before.Part is not null));

    /// <summary>The part of the work that is done, by cost where that is known.</summary>
    private static double PartOf(Progress value) => value.Part ?? (double)value.Done / Math.Max(1, value.Total);

    /// <summary>How much is done of how much; bytes as megabytes, with their rate.</summary>
    private static string Amount(Progress value, double perSecond)
    {
        (double scale, string unit) = value.Unit == "bytes" ? (1e6, "MB") : (1, value.Unit);
        string total = value.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $" of {value.Total / scale:N0}") : "";
        string rate = unit == "MB" && perSecond > 0 ? string.Create(CultureInfo.InvariantCulture, $", {perSecond / scale:N1} MB/s") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{value.Done / scale:N0}{total} {unit}{rate}");
    }
}
