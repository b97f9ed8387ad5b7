using System.Diagnostics;

namespace Tensorial.Tests.Mpi;

/// <summary>The tool as mpirun starts it.</summary>
internal sealed class MpiRun : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output,
        _error;

    private MpiRun(Process process) =>
        (_process, _output, _error) = (process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    private static string Tool => typeof(Tensorial.Cli.Tool).Assembly.Location;

    /// <summary>Starts ranks.</summary>
    /// <param name="mpirun">mpirun or mpiexec.</param>
    /// <param name="size">How many.</param>
    /// <param name="arguments">Of the tool.</param>
    public static MpiRun Start(string mpirun, int size, params string[] arguments) => StartProgram(mpirun, size, Tool, arguments);

    /// <summary>Starts ranks of <see cref="RankProgram"/>.</summary>
    public static MpiRun StartProgram(string mpirun, int size) => StartProgram(mpirun, size, typeof(RankProgram).Assembly.Location);

    private static MpiRun StartProgram(string mpirun, int size, string assembly, params string[] arguments)
    {
        string[] options = mpirun == Oracles.OpenMpi ? ["--oversubscribe", "--bind-to", "none"] : [];
        return Start(mpirun, [.. options, "-n", $"{size}", "dotnet", assembly, .. arguments]);
    }

    /// <summary>Starts the tool by itself, in an environment.</summary>
    public static MpiRun Alone(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Start("dotnet", [Tool, .. arguments], environment);

    /// <summary>Starts a script that starts the tool.</summary>
    public static MpiRun Script(string path, IReadOnlyDictionary<string, string> environment) =>
        Start("bash", [path], new Dictionary<string, string>(environment) { ["TENSORIAL"] = $"dotnet {Tool}" });

    private static MpiRun Start(string file, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Containers run tests as root, forbid memory to be read across processes, and have no ssh.
        Dictionary<string, string> usual = new()
        {
            ["OMPI_ALLOW_RUN_AS_ROOT"] = "1",
            ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1",
            ["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none",
            ["OMPI_MCA_plm_rsh_agent"] = "",
        };
        foreach ((string name, string value) in usual.Concat(environment ?? new Dictionary<string, string>()))
            start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Processes of the tool below mpirun, by rank.</summary>
    public IReadOnlyDictionary<int, int> Ranks()
    {
        Dictionary<int, int> found = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out int id) || !IsBelow(id, _process.Id))
                continue;
            try
            {
                string? rank = File.ReadAllText($"{folder}/environ")
                    .Split('\0')
                    .Select(static pair => pair.Split('=', 2))
                    .FirstOrDefault(static pair => pair[0] is "OMPI_COMM_WORLD_RANK" or "PMI_RANK")
                    ?[1];
                if (rank is not null && File.ReadAllText($"{folder}/cmdline").Contains(Tool, StringComparison.Ordinal))
                    found[int.Parse(rank)] = id;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }
        }
        return found;
    }

    /// <summary>Whether mpirun has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Waits for the end.</summary>
    public async Task<(int Code, string Output, string Error)> End(int seconds = 120)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(seconds));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"mpirun has not ended within {seconds} seconds: {await _error}");
        }
        return (_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static bool IsBelow(int id, int ancestor)
    {
        for (int depth = 0; depth < 8 && id > 1; depth++)
        {
            if (id == ancestor)
                return true;
            try
            {
                string stat = File.ReadAllText($"/proc/{id}/stat");
                id = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
        return false;
    }
}
