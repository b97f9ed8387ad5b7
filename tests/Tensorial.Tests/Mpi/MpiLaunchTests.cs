using Tensorial.Cli;
using Tensorial.Mpi;

namespace Tensorial.Tests.Mpi;

/// <summary>What the environment says of a process, as mpirun, mpiexec and srun set it.</summary>
public class MpiLaunchTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0 PMIX_RANK=0", null)]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 PMIX_RANK=3", "3 of 4, Open MPI")]
    [InlineData("PMI_SIZE=1 PMI_RANK=0", null)]
    [InlineData("PMI_SIZE=2 PMI_RANK=1", "1 of 2, MPICH")]
    [InlineData("PMIX_RANK=5 SLURM_STEP_NUM_TASKS=8 SLURM_NTASKS=16", "5 of 8, Open MPI")]
    [InlineData("PMIX_RANK=0 SLURM_NTASKS=1", null)]
    [InlineData("PMIX_RANK=2", "2 of ?, Open MPI")]
    [InlineData("SLURM_NTASKS=8 SLURM_PROCID=3 SLURM_ARRAY_TASK_ID=1", null)]
    public void A_process_among_others_is_known_by_its_environment(string environment, string? expected)
    {
        Dictionary<string, string> variables = environment
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(static pair => pair.Split('=')[0], static pair => pair.Split('=')[1]);
        MpiLaunch? launch = MpiLaunch.Read(variables.GetValueOrDefault);
        Assert.Equal(
            expected,
            launch is null ? null : $"{launch.Rank} of {launch.Size?.ToString() ?? "?"}, {(launch.IsOpenMpi ? "Open MPI" : "MPICH")}"
        );
    }

    /// <summary>Cores of each rank, machine before the colon, and the cores that its process may keep busy.</summary>
    [Theory]
    [InlineData("a:0-7 a:0-7", 8, "4 4")]
    [InlineData("a:0-7 a:0-7 a:0-7", 8, "2 2 2")]
    [InlineData("a:0-3 a:4-7", 4, "4 4")]
    [InlineData("a:0-0 a:1-1", 1, "1 1")]
    [InlineData("a:0-7 b:0-7", 8, "8 8")]
    [InlineData("a:0-1 a:0-1 a:0-1 a:0-1", 2, "1 1 1 1")]
    [InlineData("a:0-63 a:0-63", 8, "4 4")]
    [InlineData("a:32-47 a:32-47 b:0-99", 16, "8 8 16")]
    public void Cores_of_a_machine_are_shared_by_its_ranks(string ranks, int available, string expected)
    {
        string[] each = ranks.Split(' ');
        int row = LocalCores.RowLength;
        double[] table = new double[each.Length * row];
        for (int rank = 0; rank < each.Length; rank++)
        {
            string[] parts = each[rank].Split(':', '-');
            bool[] cores = [.. Enumerable.Range(0, 128).Select(core => core >= int.Parse(parts[1]) && core <= int.Parse(parts[2]))];
            LocalCores.Fill(table.AsSpan(rank * row, row), parts[0], cores);
        }
        Assert.Equal(expected, string.Join(' ', each.Select((_, rank) => LocalCores.Part(table, rank, available))));
    }
}
