using System.Diagnostics;
using System.Globalization;

namespace Tensorial.Benchmarks;

/// <summary>
/// Another library in a process of its own. It sets itself up, says "ready", then answers each line "N" with the seconds that N
/// runs took. It gets the settings it is fastest with: the processor's own BLAS kernels, and an allocator that keeps its memory.
/// </summary>
internal sealed class Peer : IDisposable
{
    private readonly Process _process;

    private Peer(Process process) => _process = process;

    /// <summary>
    /// Starts a script under bench/peers; null, with the reason on stderr, where its interpreter or libraries are missing.
    /// </summary>
    public static Peer? Start(string interpreter, string script, params string[] arguments)
    {
        ProcessStartInfo start = new(interpreter, [Path.Combine(Folder, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment.Remove("OPENBLAS_CORETYPE");
        start.Environment["MALLOC_MMAP_MAX_"] = "0";
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = "17179869184";
        start.Environment["MALLOC_TOP_PAD_"] = "268435456";
        try
        {
            Process process = Process.Start(start)!;
            string? greeting = process.StandardOutput.ReadLine();
            if (greeting?.StartsWith("ready", StringComparison.Ordinal) == true)
            {
                Console.WriteLine($"peer: {script} {greeting}");
                return new(process);
            }
            process.Dispose();
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            Console.Error.WriteLine(error.Message);
        }
        Console.Error.WriteLine($"The peer {script} could not be started; ours is measured alone.");
        return null;
    }

    /// <summary>Seconds a run took, averaged over <paramref name="runs"/>.</summary>
    public double Seconds(int runs) => Answer(runs.ToString(CultureInfo.InvariantCulture)) / runs;

    /// <summary>The number with which the script answers a line of its own kind.</summary>
    public double Answer(string line)
    {
        _process.StandardInput.WriteLine(line);
        return double.Parse(_process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(2000))
            _process.Kill();
        _process.Dispose();
    }

    internal static string Folder
    {
        get
        {
            string? folder = AppContext.BaseDirectory;
            while (folder is not null && !File.Exists(Path.Combine(folder, "Tensorial.slnx")))
                folder = Path.GetDirectoryName(folder);
            return Path.Combine(folder ?? ".", "bench", "peers");
        }
    }
}
