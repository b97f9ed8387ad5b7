using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;

namespace Tensorial.Tests.Cli;

/// <summary>
/// Networks of many architectures, as PyTorch exports them (tests/foreign/networks.py), through the tool. Whatever it writes ONNX Runtime
/// loads; inputs and outputs stay, no file grows, and the differences reported are those that ONNX Runtime finds.
/// </summary>
public sealed class ExportedNetworkTests(ExportedNetworkTests.Exports exports) : IClassFixture<ExportedNetworkTests.Exports>
{
    /// <summary>Written once for all tests.</summary>
    public sealed class Exports : IDisposable
    {
        private readonly Lazy<DirectoryInfo> _folder = new(static () =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory();
            using Process process = Process.Start(
                new ProcessStartInfo(Oracles.Python, [Path.Combine(Oracles.Repository, "tests", "foreign", "networks.py"), folder.FullName])
                {
                    RedirectStandardError = true,
                }
            )!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return folder;
        });

        public string Folder => _folder.Value.FullName;

        public void Dispose()
        {
            if (_folder.IsValueCreated)
                _folder.Value.Delete(true);
        }
    }

    [OracleTheory(Oracle.PyTorch)]
    [InlineData("mobilenet3"), InlineData("shufflenet"), InlineData("densenet"), InlineData("unet_transpose"), InlineData("vit_fused")]
    [InlineData("lstm"), InlineData("tcn_open"), InlineData("video"), InlineData("espcn"), InlineData("ssd"), InlineData("mixed")]
    [InlineData("landmarks"), InlineData("weights_as_inputs"), InlineData("double")]
    public async Task What_is_written_runs_and_differs_as_reported(string network) =>
        Assert.Null(await FaultOf(Path.Combine(exports.Folder, $"{network}.onnx")));

    [OracleFact(Oracle.PyTorch | Oracle.Patience)]
    public async Task So_does_that_of_all_others()
    {
        List<string> faults = [];
        string[] networks = [.. Directory.GetFiles(exports.Folder, "*.onnx").Order()];
        Assert.NotEmpty(networks);
        foreach (string network in networks)
            if (await FaultOf(network) is { } fault)
                faults.Add($"{Path.GetFileNameWithoutExtension(network)}: {fault}");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>What is wrong with the compression of a network; null for nothing.</summary>
    private async Task<string?> FaultOf(string network)
    {
        string small = Path.Combine(exports.Folder, "small", Path.GetFileName(network)),
            result = small + ".json";
        Directory.CreateDirectory(Path.GetDirectoryName(small)!);
        Graph before = OnnxFile.Read(network);
        CommandRun run = await CommandRun.Of("compress", network, small, "--target", "params=0.6", "--json", result, "--quiet");
        // A recurrent network of which too little can be had says so in one sentence.
        if (run.Code == 1 && !File.Exists(small) && run.Error.Contains("cannot be met", StringComparison.Ordinal))
            return before.Nodes.Any(static node => node.Operation is Recurrent) ? null : run.Error.Trim();
        if (run.Code != 0)
            return $"exit code {run.Code}: {run.Error.Trim()}";
        if (new FileInfo(small).Length > new FileInfo(network).Length)
            return $"{new FileInfo(small).Length:N0} bytes, before {new FileInfo(network).Length:N0}";
        Graph after = OnnxFile.Read(small);
        if (!before.FreeInputs.Select(Text).SequenceEqual(after.FreeInputs.Select(Text)))
            return $"inputs {string.Join(", ", after.FreeInputs.Select(Text))}, before {string.Join(", ", before.FreeInputs.Select(Text))}";
        if (!before.Outputs.Select(Text).SequenceEqual(after.Outputs.Select(Text)))
            return $"outputs {string.Join(", ", after.Outputs.Select(Text))}, before {string.Join(", ", before.Outputs.Select(Text))}";
        return Loads(network) ? DifferenceFault(before, network, small, result) : null;
    }

    /// <summary>Whether the report has the relative errors that ONNX Runtime's answers to the same inputs have.</summary>
    private static string? DifferenceFault(Graph before, string network, string small, string result)
    {
        using ISession one = OrtRuntime.Load(network, 1),
            other = OrtRuntime.Load(small, 1);
        int samples;
        Dictionary<string, double> reported;
        using (JsonDocument json = JsonDocument.Parse(File.ReadAllText(result)))
        {
            JsonElement verification = json.RootElement.GetProperty("verification");
            samples = verification.GetProperty("samples").GetInt32();
            reported = verification
                .GetProperty("outputs")
                .EnumerateArray()
                .ToDictionary(static o => o.GetProperty("name").GetString()!, static o => o.GetProperty("relativeError").GetDouble());
        }
        Verification theirs = Verification.From(one.Run, other.Run, InputBatch.Random(before, samples, 0, InputScale.From(before)), null);
        foreach (OutputDifference output in theirs.Outputs)
            if (Math.Abs(output.RelativeError - reported[output.Name]) > 1e-3 * output.RelativeError + 1e-4)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"relative error of '{output.Name}' reported {reported[output.Name]}, in ONNX Runtime {output.RelativeError}"
                );
        return null;
    }

    private static bool Loads(string network)
    {
        try
        {
            using ISession session = OrtRuntime.Load(network, 1);
            return true;
        }
        catch (BadInputException)
        {
            // As float64 convolutions.
            return false;
        }
    }

    private static string Text(Port port) =>
        $"{port.Name}:{port.Type}[{(port.Dimensions is { } dimensions ? string.Join(',', dimensions) : "?")}]";
}
