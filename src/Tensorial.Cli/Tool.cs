using System.CommandLine;
using System.Runtime.InteropServices;
using Tensorial.Cli.Commands;

namespace Tensorial.Cli;

/// <summary>The tool: its commands, and what becomes of failures.</summary>
internal static class Tool
{
    private static readonly Func<Terminal, Command>[] Commands =
    [
        DemoCommand.Create,
        InspectCommand.Create,
        EvaluateCommand.Create,
        AnalyzeCommand.Create,
        TruncateCommand.Create,
        SearchCommand.Create,
        PlanCommand.Create,
        CompressCommand.Create,
        CompareCommand.Create,
        QuantizeCommand.Create,
        TrainCommand.Create,
        TuneCommand.Create,
        VerifyCommand.Create,
        BenchCommand.Create,
        EinsumCommand.Create,
        MergeCommand.Create,
        DataCommand.Create,
        ReportCommand.Create,
    ];

    /// <summary>All commands, under their root.</summary>
    internal static RootCommand CreateRoot(Terminal terminal)
    {
        RootCommand root = new(
            """
            Tensor-network compression of convolutional networks: a trained CNN goes in as ONNX, out come a report of how
            compressible each kernel is and a smaller network.
            """
        );
        foreach (Func<Terminal, Command> create in Commands)
            root.Subcommands.Add(create(terminal));
        HelpText.Install(root, terminal);
        return root;
    }

    public static async Task<int> RunAsync(string[] arguments, Terminal terminal)
    {
        RootCommand root = CreateRoot(terminal);
        ParseResult parsed = root.Parse(WithHelp(arguments, root));
        terminal.IsMuted = RankedCommand.IsSilent(parsed.CommandResult.Command);
        if (parsed.Errors.Count > 0 || OptionMessages.Strays(parsed).Any())
        {
            foreach (string message in OptionMessages.Of(parsed))
                terminal.Complain(message);
            terminal.Complain($"Try: {HelpText.Words(parsed.CommandResult.Command)} --help");
            return (int)ExitCode.Usage;
        }

        using CancellationTokenSource cancel = new();
        Interruption interruption = new(cancel, terminal);
        Console.CancelKeyPress += (_, pressed) => pressed.Cancel = interruption.Begin();
        using PosixSignalRegistration terminated = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            signal => signal.Cancel = interruption.Begin()
        );
        try
        {
            // Both signals are seen to above.
            InvocationConfiguration configuration = new()
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = terminal.Out,
                Error = terminal.Error,
            };
            return await parsed.InvokeAsync(configuration, cancel.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (CodeFor(error) is { } code)
        {
            terminal.Complain(MessageOf(error, terminal));
            return (int)code;
        }
        finally
        {
            interruption.End();
        }
    }

    /// <summary>What people are told of a failure that has an exit code.</summary>
    internal static string MessageOf(Exception error, Terminal terminal) =>
        CodeFor(error) == ExitCode.Cancelled ? "Cancelled."
        : Innermost(error) is OutOfMemoryException ? $"This machine's memory does not suffice{At(terminal)}."
        : Innermost(error).Message;

    /// <summary>What was being computed, where that is known.</summary>
    private static string At(Terminal terminal) => terminal.Work.Length > 0 ? $" for this: {terminal.Work}" : "";

    /// <summary>What failed, where several threads met it at once.</summary>
    private static Exception Innermost(Exception error) =>
        error is AggregateException { InnerException: { } inner } ? Innermost(inner) : error;

    /// <summary><c>tensorial</c> and <c>tensorial help train</c> ask for help, as <c>--help</c> does; so does a command that only has commands.</summary>
    private static string[] WithHelp(string[] arguments, RootCommand root) =>
        arguments switch
        {
            [] => ["--help"],
            ["help", .. var rest] => [.. rest, "--help"],
            [var group] when root.Subcommands.Any(command => command.Name == group && command.Subcommands.Count > 0) => [group, "--help"],
            _ => arguments,
        };

    /// <summary>The exit code that a failure stands for; null for one that is our own mistake and deserves its stack trace.</summary>
    internal static ExitCode? CodeFor(Exception error) =>
        error switch
        {
            OperationCanceledException => ExitCode.Cancelled,
            UsageException => ExitCode.Usage,
            GoalNotMetException => ExitCode.GoalNotMet,
            BadInputException => ExitCode.BadInput,
            NumericalException => ExitCode.NumericalFailure,
            IOException or UnauthorizedAccessException or HttpRequestException => ExitCode.FileOrNetwork,
            OutOfMemoryException => ExitCode.NumericalFailure,
            AggregateException { InnerException: { } inner } => CodeFor(inner),
            _ => null,
        };
}

/// <summary>What the tool's exit code says. Documented in every help text and in docs/tool.md; scripts rely on it.</summary>
internal enum ExitCode
{
    Done = 0,
    GoalNotMet = 1,
    Usage = 2,
    BadInput = 3,
    FileOrNetwork = 4,
    NumericalFailure = 5,
    Cancelled = 130,
}

/// <summary>Options that parse one by one and make no sense together.</summary>
internal sealed class UsageException(string message) : Exception(message);
