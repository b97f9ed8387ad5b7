using System.Globalization;

namespace Tensorial.Mpi;

/// <summary>How mpirun, mpiexec or srun started this process among others, as the environment says.</summary>
/// <param name="Rank">Which of the processes this is, from 0.</param>
/// <param name="Size">How many there are; null where the environment does not say.</param>
/// <param name="IsOpenMpi">Whether Open MPI, or what speaks its PMIx, has started it; otherwise MPICH or a relative (PMI).</param>
public sealed record MpiLaunch(int Rank, int? Size, bool IsOpenMpi)
{
    /// <summary>Reads the environment.</summary>
    /// <param name="variable">A variable's value; null where it is not set.</param>
    /// <returns>Null for a process on its own, also for the only one of a job.</returns>
    public static MpiLaunch? Read(Func<string, string?> variable)
    {
        if (Number("OMPI_COMM_WORLD_SIZE") is { } open)
            return open > 1 ? new(Number("OMPI_COMM_WORLD_RANK") ?? 0, open, IsOpenMpi: true) : null;
        if (Number("PMI_SIZE") is { } size)
            return size > 1 ? new(Number("PMI_RANK") ?? 0, size, IsOpenMpi: false) : null;
        // srun --mpi=pmix
        if (Number("PMIX_RANK") is not { } rank)
            return null;
        int? tasks = Number("SLURM_STEP_NUM_TASKS") ?? Number("SLURM_NTASKS");
        return tasks == 1 ? null : new(rank, tasks, IsOpenMpi: true);

        int? Number(string name) =>
            int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }
}
