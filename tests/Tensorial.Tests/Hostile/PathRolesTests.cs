using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Hostile;

/// <summary>An output never destroys what its command reads, or writes elsewhere.</summary>
public sealed class PathRolesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData("evaluate $dir/m.onnx --data npy:$dir/set/i.npy,$dir/set/l.npy --json $dir/set/l.npy")]
    [InlineData("evaluate $dir/m.onnx --data npy:$dir/set/i.npy,$dir/set/l.npy --json $dir/m.onnx.data")]
    [InlineData("evaluate $dir/m.onnx --data npy:$dir/set/i.npy,$dir/set/l.npy --json $dir/link/l.npy")]
    [InlineData("evaluate $dir/m.onnx --data npy:$dir/set/i.npy,$dir/set/l.npy --json $dir/hop/l.npy")]
    [InlineData("evaluate $dir/m.onnx --data cifar10:$dir/set --json $dir/set/new.json")]
    [InlineData("evaluate $dir/m.onnx --data cifar10:$dir/set --json $dir/link/new.json")]
    [InlineData("evaluate $dir/m.onnx --data cifar10:$dir/link --json $dir/set/sub/../new.json")]
    [InlineData("analyze $dir/m.onnx --data idx:$dir/set --resume $dir/set")]
    [InlineData("analyze $dir/m.onnx --data idx:$dir/set --csv $dir/set/tables")]
    [InlineData("analyze $dir/m.onnx --json $dir/a.json --report $dir/a.json")]
    [InlineData("analyze $dir/m.onnx --json $dir/a.json --report $dir/set/../a.json")]
    [InlineData("analyze $dir/m.onnx --resume $dir/store --json $dir/store/a.json")]
    [InlineData("compress $dir/m.onnx $dir/m.onnx.data --target params=0.5")]
    [InlineData("compress $dir/m.onnx $dir/hard.onnx --target params=0.5 --report $dir/hard.onnx")]
    [InlineData("compress $dir/m.onnx $dir/o.onnx --target params=0.5 --json $dir/o.onnx.data")]
    [InlineData("train $dir/m.onnx $dir/o.onnx --data sample --resume $dir/store --report $dir/store/r.html")]
    [InlineData("tune $dir/m.onnx $dir/o.onnx --teacher $dir/t.onnx --data sample --json $dir/t.onnx")]
    [InlineData("analyze $dir/m.onnx --resume $dir/store --csv $dir/store")]
    [InlineData("merge $dir/store/out.json $dir/store")]
    [InlineData("report $dir/a.json $dir/out.html --csv $dir/out.html")]
    [InlineData("data get mnist --out $dir/set --from $dir/set")]
    public async Task It_is_refused_before_work_starts(string command)
    {
        DirectoryInfo set = _folder.CreateSubdirectory("set");
        set.CreateSubdirectory("sub");
        _folder.CreateSubdirectory("store");
        File.Copy(Sample, Path.Combine(_folder.FullName, "m.onnx"));
        File.WriteAllText(Path.Combine(_folder.FullName, "m.onnx.data"), "weights");
        File.WriteAllText(Path.Combine(set.FullName, "i.npy"), "images");
        File.WriteAllText(Path.Combine(set.FullName, "l.npy"), "labels");
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "link"), set.FullName);
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "hop"), "link");
        string[] before = Files();

        CommandRun run = await CommandRun.Of(command.Replace("$dir", _folder.FullName).Split(' '));

        Assert.Equal(2, run.Code);
        Assert.Contains("output", run.Error);
        Assert.Equal(before, Files());
    }

    [Theory]
    [InlineData("inspect $dir/m.onnx --json $dir/out.json")]
    [InlineData("inspect $dir/m.onnx --json /dev/null")]
    [InlineData("analyze $dir/m.onnx --json $dir/a.json --report $dir/a.html --csv $dir/tables --resume $dir/work")]
    [InlineData("analyze $dir/m.onnx --csv $dir/out --figures $dir/out")]
    [InlineData("analyze $dir/m.onnx --csv $dir --figures $dir --report $dir/a.html")]
    [InlineData("analyze $dir/m.onnx --csv $dir/out --figures $dir/out/figures")]
    public async Task What_does_no_harm_is_done(string command)
    {
        File.Copy(Sample, Path.Combine(_folder.FullName, "m.onnx"));

        CommandRun run = await CommandRun.Of(command.Replace("$dir", _folder.FullName).Split(' '));

        Assert.Equal("", run.Code == 0 ? "" : run.Error);
    }

    private string[] Files() =>
        [
            .. Directory
                .GetFiles(_folder.FullName, "*", SearchOption.AllDirectories)
                .Order()
                .Select(static path => $"{path} {File.ReadAllText(path).GetHashCode(StringComparison.Ordinal)}"),
        ];
}
