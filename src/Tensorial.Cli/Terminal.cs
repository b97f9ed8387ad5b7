using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Tensorial.Cli;

/// <summary>Where a command writes: results to stdout; progress, notes and failures to stderr.</summary>
internal sealed class Terminal
{
    private readonly bool _errorIsTerminal;

    public Terminal(TextWriter output, TextWriter error, bool errorIsTerminal, bool color, int? width = null)
    {
        (Out, Error, _errorIsTerminal) = (output, error, errorIsTerminal);
        Tables = Console(output, color, width);
        Notes = Console(error, color && errorIsTerminal, width);
    }

    /// <summary>The process's own streams. Colour where stdout is a terminal and NO_COLOR is not set.</summary>
    public static Terminal Standard()
    {
        bool color = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !System.Console.IsOutputRedirected;
        int? width = System.Console.IsOutputRedirected ? 200 : null;
        return new(System.Console.Out, System.Console.Error, !System.Console.IsErrorRedirected, color, width);
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Set by --quiet: no progress and no notes; results and failures still appear.</summary>
    public bool Quiet { get; set; }

    private IAnsiConsole Tables { get; set; }

    private IAnsiConsole Notes { get; set; }

    /// <summary>Set by --no-color.</summary>
    public void DropColor()
    {
        Tables.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        Notes.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
    }

    /// <summary>Writes a result: a table or a line of markup.</summary>
    public void Show(Spectre.Console.Rendering.IRenderable result) => Tables.Write(result);

    /// <summary>What the command is at, as its progress last said; empty where it said nothing.</summary>
    public string Work { get; private set; } = "";

    /// <summary>Writes a line of plain text to stdout.</summary>
    public void Say(string line) => Out.WriteLine(Printable.EscapeMessage(line));

    /// <summary>Writes a note for people to stderr, unless quiet.</summary>
    public void Note(string line)
    {
        if (!Quiet)
            Error.WriteLine(Printable.EscapeMessage(Printable.Shorten(line)));
    }

    /// <summary>Says what is wrong and does not stop the command; also where quiet.</summary>
    public void Warn(string message) => Complain(message);

    /// <summary>States a failure.</summary>
    public void Complain(string message)
    {
        string line = Printable.EscapeMessage(Printable.Shorten(message));
        Error.WriteLine(line.StartsWith("tensorial", StringComparison.Ordinal) ? line : $"tensorial: {line}");
    }

    /// <summary>
    /// A table in the house style: no frame but a rule under the heading; columns whose name ends in '#' hold numbers and align right.
    /// </summary>
    public static Table NewTable(params ReadOnlySpan<string> columns)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string column in columns)
        {
            TableColumn made = new TableColumn(Markup.Escape(column.TrimEnd('#'))).NoWrap();
            table.AddColumn(column.EndsWith('#') ? made.RightAligned() : made);
        }
        return table;
    }

    /// <summary>
    /// Runs work that reports its progress: as bars with a time estimate on a terminal; in a log as a line after two seconds and then every
    /// ten, also where nothing new is to be said; not at all when quiet.
    /// </summary>
    public T WithProgress<T>(Func<IProgress<Progress>, T> work)
    {
        if (Quiet)
            return work(new Noted(this, null));
        if (!_errorIsTerminal)
        {
            using LogProgress log = new(this);
            return work(new Noted(this, log));
        }
        T result = default!;
        Notes
            .Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn(),
                new SpinnerColumn()
            )
            .Start(context => result = work(new Noted(this, new Bars(context))));
        return result;
    }

    private static IAnsiConsole Console(TextWriter writer, bool color, int? width)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                ColorSystem = color ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Ansi = color ? AnsiSupport.Detect : AnsiSupport.No,
            }
        );
        if (width is { } columns)
            console.Profile.Width = columns;
        return console;
    }

    /// <summary>Remembers what the command is at.</summary>
    private sealed class Noted(Terminal terminal, IProgress<Progress>? shown) : IProgress<Progress>
    {
        public void Report(Progress value)
        {
            terminal.Work = value.Work;
            shown?.Report(value);
        }
    }

    private sealed class LogProgress : IProgress<Progress>, IDisposable
    {
        private static readonly TimeSpan First = TimeSpan.FromSeconds(2),
            Between = TimeSpan.FromSeconds(10);

        private readonly Terminal _terminal;
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly Lock _gate = new();
        private readonly Timer _timer;
        private TimeSpan _next = First;
        private Progress? _latest;
        private (string Work, long Done, double Part, TimeSpan At) _start = ("", 0, 0, TimeSpan.Zero);

        public LogProgress(Terminal terminal)
        {
            _terminal = terminal;
            _timer = new(_ => Say(null), null, First, TimeSpan.FromSeconds(1));
        }

        public void Report(Progress value) => Say(value);

        public void Dispose()
        {
            lock (_gate)
            {
                _latest = null;
                _timer.Dispose();
            }
        }

        private void Say(Progress? news)
        {
            lock (_gate)
            {
                if (news is { } fresh && _start.Work != fresh.Work)
                    _start = (fresh.Work, fresh.Done, Part(fresh), _clock.Elapsed);
                _latest = news ?? _latest;
                if (_clock.Elapsed < _next || _latest is not { } value)
                    return;
                _next = _clock.Elapsed + Between;
                double perSecond = (value.Done - _start.Done) / (_clock.Elapsed - _start.At).TotalSeconds;
                double part = Part(value),
                    perSecondOfAll = (part - _start.Part) / (_clock.Elapsed - _start.At).TotalSeconds;
                string left =
                    value.Total > 0 && perSecondOfAll > 0
                        ? $", about {TimeSpan.FromSeconds((1 - part) / perSecondOfAll):h\\:mm\\:ss} left"
                        : "";
                _terminal.Note($"{value.Work}: {Amount(value, perSecond)}{left}");
            }
        }
    }

    /// <summary>The part of the work that is done, by cost where that is known.</summary>
    private static double Part(Progress value) => value.Part ?? (double)value.Done / Math.Max(1, value.Total);

    /// <summary>How much is done of how much; bytes as megabytes, with their rate.</summary>
    private static string Amount(Progress value, double perSecond)
    {
        (double scale, string unit) = value.Unit == "bytes" ? (1e6, "MB") : (1, value.Unit);
        string total = value.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $" of {value.Total / scale:N0}") : "";
        string rate = unit == "MB" && perSecond > 0 ? string.Create(CultureInfo.InvariantCulture, $", {perSecond / scale:N1} MB/s") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{value.Done / scale:N0}{total} {unit}{rate}");
    }

    private sealed class Bars(ProgressContext context) : IProgress<Progress>
    {
        private readonly Dictionary<string, ProgressTask> _tasks = [];
        private readonly Lock _gate = new();

        public void Report(Progress value)
        {
            lock (_gate)
            {
                if (!_tasks.TryGetValue(value.Work, out ProgressTask? task))
                    _tasks[value.Work] = task = context.AddTask(value.Work.Escaped());
                task.IsIndeterminate = value.Total == 0;
                task.MaxValue = Math.Max(1, value.Total);
                task.Value = Part(value) * task.MaxValue;
                if (value.Unit == "bytes" && value.Done > 0)
                    task.Description = $"{value.Work}: {Amount(value, task.Speed ?? 0)}".Escaped();
            }
        }
    }
}
