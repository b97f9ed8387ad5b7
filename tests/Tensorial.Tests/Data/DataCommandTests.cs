using Tensorial.Cli;
using Tensorial.Data;
using Tensorial.Data.Fetching;

namespace Tensorial.Tests.Data;

public class DataCommandTests
{
    private static (int ExitCode, string Out, string Error) Run(params string[] arguments)
    {
        using StringWriter output = new(),
            error = new();
        int code = Tool.RunAsync(arguments, new(output, error, errorIsTerminal: false, color: false, width: 200)).GetAwaiter().GetResult();
        return (code, output.ToString(), error.ToString());
    }

    [Theory]
    [InlineData(2, "Must be one of", "cifar1")]
    [InlineData(2, "Try: tensorial data get --help", "cifar1")]
    [InlineData(3, "Fashion-MNIST is not to be had from npm", "fashion-mnist", "--from", "npm")]
    [InlineData(4, "neither a folder nor a file 'no-such-place'", "mnist", "--from", "no-such-place")]
    public void A_failure_has_its_exit_code_and_leaves_nothing(int exitCode, string words, params string[] arguments)
    {
        using TemporaryFolder folder = new();
        (int code, string output, string error) = Run(["data", "get", .. arguments, "--out", Path.Combine(folder.Path, "out")]);
        Assert.Equal(exitCode, code);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Empty(output);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [OracleFact(Oracle.Cifar10)]
    public void A_set_is_brought_verified_and_opens()
    {
        using TemporaryFolder folder = new();
        string target = Path.Combine(folder.Path, "cifar10"),
            json = Path.Combine(folder.Path, "result.json");
        (int code, string output, string error) = Run(
            "data",
            "get",
            "cifar10",
            "--out",
            target,
            "--from",
            Oracles.Cifar10!,
            "--json",
            json
        );
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"CIFAR-10 is in place: --data cifar10:{target}", output, StringComparison.Ordinal);
        string checksum = PublishedSet.All.Single(set => set.Name == "cifar10").Files[^1].Sha256!;
        Assert.Contains($"\"sha256\": \"{checksum}\"", File.ReadAllText(json), StringComparison.Ordinal);
        Assert.Equal(50_000, DataSource.Parse($"cifar10:{target}").Open(DataSplit.Train, Normalization.None).Count);
    }
}
