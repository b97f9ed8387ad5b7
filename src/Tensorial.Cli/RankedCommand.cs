using System.CommandLine;
using Tensorial.Mpi;
using Tensorial.Training.Distributed;

namespace Tensorial.Cli;

/// <summary>A command that mpirun or srun may start as several ranks. Rank 0 speaks and writes for all.</summary>
internal static class RankedCommand
{
    /// <summary>Time in which rank 0 says what failed on all ranks alike, and ends the others.</summary>
    private static readonly TimeSpan Deference = TimeSpan.FromSeconds(3);

    /// <summary>What becomes of a process that fails by a mistake of our own: as the runtime ends it.</summary>
    private const int Aborted = 134;

    /// <summary>Whether another rank speaks for this one.</summary>
    public static bool IsSilent(Command command) =>
        command.Name is "train" or "tune" && MpiLaunch.Read(Environment.GetEnvironmentVariable) is { Rank: > 0 };

    /// <summary>Runs a command on this rank; what fails here ends all ranks.</summary>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="run">The command, given the ranks; null where this process is alone.</param>
    /// <param name="cancel">The end that the user, or mpirun for another rank's failure, has asked for.</param>
    /// <exception cref="CommunicationException">There are other ranks, and MPI does not begin.</exception>
    public static ExitCode Run(Terminal terminal, Func<ICommunicator?, ExitCode> run, CancellationToken cancel)
    {
        using MpiCommunicator? ranks = MpiCommunicator.Join();
        if (ranks is null)
        {
            NameStrangers(terminal);
            return run(null);
        }
        try
        {
            terminal.Note($"{ranks.Size} ranks over {ranks.Version}");
            ExitCode code = run(ranks);
            // Rank 0 may have more to write.
            ranks.Barrier(cancel);
            return code;
        }
        catch (Exception error)
        {
            AtomicFile.RemoveUnfinished();
            if (ranks.Rank > 0)
                terminal.IsMuted = error is OperationCanceledException || cancel.WaitHandle.WaitOne(Deference);
            string where = ranks.Rank > 0 ? $"rank {ranks.Rank}: " : "";
            terminal.Complain(where + (Tool.CodeFor(error) is null ? error.ToString() : Tool.MessageOf(error, terminal)));
            terminal.Error.Flush();
            terminal.IsMuted = true;
            ranks.Abort((int?)Tool.CodeFor(error) ?? Aborted);
            throw;
        }
    }

    /// <summary>srun starts tasks without MPI unless it is told to: each of them then trains by itself.</summary>
    private static void NameStrangers(Terminal terminal)
    {
        if (
            int.TryParse(Environment.GetEnvironmentVariable("SLURM_STEP_NUM_TASKS"), out int tasks)
            && tasks > 1
            && Environment.GetEnvironmentVariable("SLURM_PROCID") == "0"
        )
            terminal.Note(
                $"srun has started {tasks} tasks and no MPI between them: each trains by itself. For one training of all, srun --mpi=pmix or --mpi=pmi2."
            );
    }
}
