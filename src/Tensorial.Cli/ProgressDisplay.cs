using System.Diagnostics;

namespace Tensorial.Cli;

/// <summary>
/// What a command is at, on stderr, from its start to its end: on a terminal one line that is drawn again and again and erased before
/// anything else is written; in a log a line after two seconds and then every ten, also where nothing new is to be said.
/// </summary>
internal sealed class ProgressDisplay : IDisposable
{
    private static readonly TimeSpan FirstInLog = TimeSpan.FromSeconds(2),
        BetweenInLog = TimeSpan.FromSeconds(10),
        FirstOnTerminal = TimeSpan.FromSeconds(0.5),
        BetweenOnTerminal = TimeSpan.FromSeconds(0.2);

    /// <summary>Cells of the bar.</summary>
    private const int BarWidth = 20;

    private readonly TextWriter _error;
    private readonly Lock _gate;
    private readonly Func<int>? _width;
    private readonly string _command;
    private readonly ProgressRate _rate = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Timer _timer;
    private TimeSpan _next;
    private int _drawn;
    private bool _isEnded;

    /// <param name="error">Where it is shown.</param>
    /// <param name="gate">Held by whoever writes.</param>
    /// <param name="width">Columns of the terminal; null in a log.</param>
    /// <param name="command">What is said where the work has no name yet.</param>
    public ProgressDisplay(TextWriter error, Lock gate, Func<int>? width, string command)
    {
        (_error, _gate, _width, _command) = (error, gate, width, command);
        _next = width is null ? FirstInLog : FirstOnTerminal;
        TimeSpan often = width is null ? TimeSpan.FromSeconds(1) : BetweenOnTerminal;
        _timer = new(_ => Tick(), null, _next, often);
    }

    public void Report(Progress value)
    {
        lock (_gate)
            _rate.Report(value, _clock.Elapsed);
    }

    /// <summary>The work that was reported is done; the command goes on with something else.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _rate.Forget();
            Erase();
        }
    }

    /// <summary>Takes the line off the terminal. The gate is held.</summary>
    public void Erase()
    {
        if (_drawn == 0)
            return;
        _error.Write($"\r{new string(' ', _drawn)}\r");
        _drawn = 0;
    }

    /// <summary>
    /// Says nothing for a while: results follow each other, and where they go through a pipe to the same terminal they come late. The gate is
    /// held.
    /// </summary>
    public void Hold() => _next = TimeSpan.FromTicks(Math.Max(_next.Ticks, (_clock.Elapsed + FirstInLog).Ticks));

    public void Dispose()
    {
        lock (_gate)
        {
            _isEnded = true;
            Erase();
            _timer.Dispose();
        }
    }

    private void Tick()
    {
        lock (_gate)
        {
            if (_isEnded || _clock.Elapsed < _next)
                return;
            string text = _rate.Text(_clock.Elapsed) ?? $"{_command}: at work for {_clock.Elapsed:h\\:mm\\:ss}";
            if (_width is null)
            {
                _next = _clock.Elapsed + BetweenInLog;
                _error.WriteLine(Printable.Escape(text));
                return;
            }
            string line = Fit((_rate.Part is { } part ? $"{Bar(part)} " : "") + Printable.Escape(text), _width() - 1);
            int cells = TableLayout.Cells(line);
            _error.Write($"\r{line}{new string(' ', Math.Max(0, _drawn - cells))}");
            _error.Flush();
            _drawn = Math.Max(_drawn, cells);
        }
    }

    private static string Bar(double part)
    {
        int done = (int)Math.Round(BarWidth * Math.Clamp(part, 0, 1));
        return new string('█', done) + new string('░', BarWidth - done);
    }

    /// <summary>As much of a line as does not wrap, which could not be erased.</summary>
    private static string Fit(string line, int width)
    {
        int end = line.Length;
        while (end > 0 && TableLayout.Cells(line[..end]) > width)
            end--;
        return line[..end];
    }
}
