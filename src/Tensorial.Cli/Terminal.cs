using Tensorial.Mpi;

namespace Tensorial.Cli;

/// <summary>Where a command writes: results to stdout; progress, notes and failures to stderr.</summary>
/// <param name="output">For results.</param>
/// <param name="error">For everything else.</param>
/// <param name="errorIsTerminal">Whether progress may draw and erase.</param>
/// <param name="color">Whether headings may be set off.</param>
/// <param name="width">Columns of the terminal that shows results; null where nothing limits a line.</param>
internal sealed class Terminal(TextWriter output, TextWriter error, bool errorIsTerminal, bool color, int? width = null)
{
    private const int UsualWidth = 80;

    private readonly Lock _gate = new();
    private ProgressDisplay? _display;
    private bool _color = color,
        _isSeparated,
        _hasWritten;

    /// <summary>The process's own streams. Colour where stdout is a terminal and NO_COLOR is not set.</summary>
    public static Terminal Standard()
    {
        // mpirun gives ranks terminals of their own, whatever becomes of what they write; .NET asks TERM before it sends anything there.
        bool isRank = MpiLaunch.Read(Environment.GetEnvironmentVariable) is not null;
        if (isRank)
            Environment.SetEnvironmentVariable("TERM", "dumb");
        bool isTerminal = !isRank && !Console.IsOutputRedirected,
            isPlain =
                !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
                || Environment.GetEnvironmentVariable("TERM") == "dumb"
                || OperatingSystem.IsWindows();
        return new(
            Console.Out,
            Console.Error,
            !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb",
            isTerminal && !isPlain,
            isTerminal ? ConsoleWidth() : null
        );
    }

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Columns of the terminal that shows results; null where nothing limits a line.</summary>
    public int? Width { get; } = width;

    /// <summary>Set by --quiet: no progress and no notes; results and failures still appear.</summary>
    public bool Quiet { get; set; }

    /// <summary>Whether nothing is written at all: another rank speaks for this one.</summary>
    public bool IsMuted { get; set; }

    /// <summary>Whether progress is shown where --quiet does not forbid it.</summary>
    public bool ShowsProgress { get; init; } = true;

    /// <summary>Set by --no-color.</summary>
    public void DropColor() => _color = false;

    /// <summary>What the command is at, as its progress last said; empty where it said nothing.</summary>
    public string Work { get; private set; } = "";

    /// <summary>Writes a result: a table, with what did not fit.</summary>
    public void Show(TextTable table)
    {
        if (table.Rows.Count == 0)
            return;
        TableText text = table.Render(Width);
        (string on, string off) = _color ? ("\e[1m", "\e[0m") : ("", "");
        Write(
            Out,
            [
                "",
                .. text.Heading.Select(line => $"{on}{line}{off}"),
                .. text.Body,
                "",
                .. text.LeftOut.Count > 0
                    ? Wrapped($"Left out, too wide for {Width} columns: {string.Join(", ", text.LeftOut)}.", Width)
                    : [],
            ]
        );
    }

    /// <summary>Writes a line of plain text to stdout.</summary>
    public void Say(string line) => Write(Out, Wrapped(Printable.EscapeMessage(line), Width));

    /// <summary>Writes a note for people to stderr, unless quiet.</summary>
    public void Note(string line)
    {
        if (!Quiet)
            Write(Error, Wrapped(Printable.EscapeMessage(Printable.Shorten(line)), ErrorWidth));
    }

    /// <summary>Says what is wrong and does not stop the command; also where quiet.</summary>
    public void Warn(string message) => Complain(message);

    /// <summary>States a failure.</summary>
    public void Complain(string message)
    {
        string line = Printable.EscapeMessage(Printable.Shorten(message));
        Write(Error, Wrapped(line.StartsWith("tensorial", StringComparison.Ordinal) ? line : $"tensorial: {line}", ErrorWidth));
    }

    /// <summary>Shows that the command is at work, from now until what is returned is disposed; not where quiet.</summary>
    public IDisposable? Watch(string command) =>
        Quiet || IsMuted || !ShowsProgress ? null : _display = new(Error, _gate, errorIsTerminal ? ConsoleWidth : null, command);

    /// <summary>Runs work that reports its progress, and shows how far it has come.</summary>
    public T WithProgress<T>(Func<IProgress<Progress>, T> work)
    {
        try
        {
            return work(new Noted(this));
        }
        finally
        {
            _display?.Finish();
        }
    }

    private int? ErrorWidth => errorIsTerminal ? ConsoleWidth() : null;

    /// <summary>Columns of the process's terminal; the usual number where it does not say.</summary>
    private static int ConsoleWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var columns ? columns : UsualWidth;
        }
        catch (IOException)
        {
            // Windows asks stdout, which may be a pipe where stderr is a terminal.
            return UsualWidth;
        }
    }

    /// <summary>Text broken at words; paragraphs of several lines as they are.</summary>
    private static string[] Wrapped(string text, int? width) =>
        width is { } columns && !text.Contains('\n') && !text.StartsWith(' ') ? TableLayout.Wrap(text, columns) : [text];

    private void Write(TextWriter writer, IReadOnlyList<string> lines)
    {
        if (IsMuted)
            return;
        lock (_gate)
        {
            _display?.Erase();
            if (writer == Out)
                _display?.Hold();
            foreach (string line in lines)
                if (writer == Error)
                    writer.WriteLine(line);
                else if (line.Length == 0)
                    // A blank line separates; there is none at the end, and never two.
                    _isSeparated = true;
                else
                {
                    writer.WriteLine(_isSeparated && _hasWritten ? $"{Environment.NewLine}{line}" : line);
                    (_isSeparated, _hasWritten) = (false, true);
                }
        }
    }

    /// <summary>Remembers what the command is at.</summary>
    private sealed class Noted(Terminal terminal) : IProgress<Progress>
    {
        public void Report(Progress value)
        {
            terminal.Work = value.Work;
            terminal._display?.Report(value);
        }
    }
}
