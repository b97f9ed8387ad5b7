using System.Runtime.InteropServices;

namespace Tensorial.Cli;

/// <summary>
/// Ctrl-C and SIGTERM: the command is asked to end, and ended where it does not answer in time, whatever loop it is in. Files appear whole
/// or not at all and stores know every finished line, so that nothing is lost but the work under way.
/// </summary>
internal sealed class Interruption(CancellationTokenSource cancel, Terminal terminal)
{
    /// <summary>Time to put away what a command was at.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ManualResetEventSlim _ended = new();
    private int _signals;

    /// <summary>Asks the command to end, the first time; ends the process the second time.</summary>
    /// <returns>Whether the signal's usual effect, the end of the process, is to be kept off.</returns>
    public bool Begin()
    {
        if (_ended.IsSet)
            return false;
        if (Interlocked.Increment(ref _signals) > 1)
            Exit();
        new Thread(Wait) { IsBackground = true }.Start();
        _ = cancel.CancelAsync();
        return true;
    }

    /// <summary>The command has ended by itself.</summary>
    public void End() => _ended.Set();

    private void Wait()
    {
        if (!_ended.Wait(Grace))
            Exit();
    }

    private void Exit()
    {
        AtomicFile.RemoveUnfinished();
        terminal.Complain("Cancelled.");
        terminal.Error.Flush();
        // The runtime's own way out waits for others; on a busy machine for long.
        if (!OperatingSystem.IsWindows())
            ExitNow((int)ExitCode.Cancelled);
        Environment.Exit((int)ExitCode.Cancelled);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void ExitNow(int code);
}
