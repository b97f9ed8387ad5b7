using System.Diagnostics;

namespace Tensorial.Tests;

/// <summary>What a test compares with, or reads, that a machine may lack.</summary>
[Flags]
public enum Oracle
{
    None = 0,

    /// <summary>NumPy in the system's Python.</summary>
    NumPy = 1,

    /// <summary>PyTorch in the system's Python.</summary>
    PyTorch = 2,

    /// <summary>The onnx package in the system's Python.</summary>
    OnnxPython = 4,

    /// <summary>The ONNX backend test suite (Debian libonnx-testdata).</summary>
    OnnxBackend = 8,

    /// <summary>The pretrained ResNets, in ../shared/models beside the repository.</summary>
    SharedModels = 16,

    /// <summary>CIFAR-10 in its binary format, found through TENSORIAL_CIFAR10.</summary>
    Cifar10 = 32,

    /// <summary>Headless Chromium.</summary>
    Chromium = 64,

    /// <summary>Pillow and NumPy in the system's Python.</summary>
    Pillow = 512,

    /// <summary>Leave to take minutes: TENSORIAL_HEAVY=1.</summary>
    Patience = 128,

    /// <summary>A shell in which the commands of a page run, and curl.</summary>
    Shell = 1024,

    /// <summary>Open MPI's mpirun and its run-time library; TENSORIAL_OPENMPI names another mpirun.</summary>
    OpenMpi = 2048,

    /// <summary>MPICH's mpiexec and its run-time library; TENSORIAL_MPICH names another mpiexec.</summary>
    Mpich = 4096,

    /// <summary>Networks made by others: in ../shared/models/foreign, or in the folder that TENSORIAL_FOREIGN names.</summary>
    ForeignModels = 8192,

    /// <summary>Linux, whose /proc shows open files.</summary>
    Linux = 16384,

    /// <summary>PyYAML in the system's Python.</summary>
    PyYaml = 32768,

    /// <summary>mkfifo, which makes named pipes.</summary>
    NamedPipes = 65536,

    /// <summary>Poppler's pdftoppm and pdftotext.</summary>
    Poppler = 131072,

    /// <summary>Small networks that once failed, in ../shared/cases beside the repository.</summary>
    SharedCases = 256,
}

/// <summary>Where the oracles of this machine are, and whether.</summary>
public static class Oracles
{
    public const string Python = "/usr/bin/python3";

    public const string Backend = "/usr/share/libonnx-testdata/data";

    public static string Repository { get; } = FindRepository();

    public static string Models { get; } = Path.GetFullPath(Path.Combine(Repository, "..", "shared", "models"));

    /// <summary>Paths of networks made by others.</summary>
    public static IReadOnlyList<string> ForeignModels { get; } =
    [
        .. new[] { Path.Combine(Models, "foreign"), Environment.GetEnvironmentVariable("TENSORIAL_FOREIGN") ?? "" }
            .Where(Directory.Exists)
            .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.onnx").Order()),
    ];

    public static string Cases { get; } = Path.GetFullPath(Path.Combine(Repository, "..", "shared", "cases"));

    /// <summary>Whether tests may take minutes.</summary>
    public static bool Heavy { get; } = Environment.GetEnvironmentVariable("TENSORIAL_HEAVY") == "1";

    public static string? Cifar10 { get; } = Folder("TENSORIAL_CIFAR10");

    public static string OpenMpi { get; } = Environment.GetEnvironmentVariable("TENSORIAL_OPENMPI") ?? "/usr/bin/mpirun.openmpi";

    public static string Mpich { get; } = Environment.GetEnvironmentVariable("TENSORIAL_MPICH") ?? "/usr/bin/mpiexec.hydra";

    /// <summary>Names of the oracles asked for that this machine lacks; empty when all are there.</summary>
    public static string Missing(Oracle wanted) =>
        string.Join(
            ", ",
            from oracle in Enum.GetValues<Oracle>()
            where oracle != Oracle.None && wanted.HasFlag(oracle) && !IsThere(oracle)
            select oracle
        );

    /// <summary>Runs a Python program with the given standard input and returns its standard output.</summary>
    public static string RunPython(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(Python, ["-c", program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(errors.Result);
    }

    private static readonly Dictionary<Oracle, bool> Known = [];

    private static bool IsThere(Oracle oracle)
    {
        lock (Known)
        {
            if (!Known.TryGetValue(oracle, out bool there))
                Known[oracle] = there = Probe(oracle);
            return there;
        }
    }

    private static bool Probe(Oracle oracle) =>
        oracle switch
        {
            Oracle.NumPy => Imports("numpy"),
            Oracle.PyTorch => Imports("torch"),
            Oracle.Pillow => Imports("PIL, numpy"),
            Oracle.OnnxPython => Imports("onnx"),
            Oracle.PyYaml => Imports("yaml"),
            Oracle.OnnxBackend => Directory.Exists(Backend),
            Oracle.SharedModels => Directory.Exists(Models),
            Oracle.SharedCases => Directory.Exists(Cases),
            Oracle.ForeignModels => ForeignModels.Count > 0,
            Oracle.Linux => OperatingSystem.IsLinux(),
            Oracle.Poppler => File.Exists("/usr/bin/pdftoppm") && File.Exists("/usr/bin/pdftotext"),
            Oracle.NamedPipes => File.Exists("/usr/bin/mkfifo"),
            Oracle.Cifar10 => Cifar10 is not null,
            Oracle.Patience => Heavy,
            Oracle.OpenMpi => File.Exists(OpenMpi),
            Oracle.Mpich => File.Exists(Mpich),
            Oracle.Shell => File.Exists("/bin/bash") && File.Exists("/usr/bin/curl"),
            _ => File.Exists("/usr/bin/chromium"),
        };

    private static bool Imports(string module)
    {
        if (!File.Exists(Python))
            return false;
        using Process process = Process.Start(new ProcessStartInfo(Python, ["-c", $"import {module}"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static string? Folder(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path && Directory.Exists(path) ? path : null;

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Tensorial.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests run from inside the repository.");
    }
}

/// <summary>A test that is skipped, by name, where an oracle is missing.</summary>
public sealed class OracleFactAttribute : FactAttribute
{
    public OracleFactAttribute(Oracle wanted)
    {
        if (Oracles.Missing(wanted) is { Length: > 0 } missing)
            Skip = $"not on this machine: {missing}";
    }
}

/// <inheritdoc cref="OracleFactAttribute"/>
public sealed class OracleTheoryAttribute : TheoryAttribute
{
    public OracleTheoryAttribute(Oracle wanted)
    {
        if (Oracles.Missing(wanted) is { Length: > 0 } missing)
            Skip = $"not on this machine: {missing}";
    }
}
