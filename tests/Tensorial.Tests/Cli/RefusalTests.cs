namespace Tensorial.Tests.Cli;

/// <summary>What cannot work is refused in one paragraph, with the documented exit code, and leaves nothing behind.</summary>
public sealed class RefusalTests : IDisposable
{
    private const string Text = "no model";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    public static TheoryData<int, string, string> Refusals() =>
        new()
        {
            { 2, "nonsense", "'nonsense' is no command of tensorial" },
            { 2, "inspct $sample", "Did you mean inspect?" },
            { 2, "inspect $sample --jsn $dir/a.json", "Did you mean --json?" },
            { 2, "inspect --jsn $dir/a.json", "Did you mean --json?" },
            { 2, "inspect --limit", "has no option '--limit'" },
            { 2, "inspect $sample $text", "no further argument" },
            { 2, "data gt mnist --out $dir/set", "Did you mean get?" },
            { 2, "compress $sample", "needs <out.onnx>" },
            { 2, "compress $sample $dir/out.onnx --target parms=0.5", "Did you mean params?" },
            { 2, "compress $sample $dir/out.onnx --target params=0.5 --format tukcer2", "Did you mean tucker2?" },
            { 2, "train $sample $dir/out.onnx --data sample --optimizer adm", "Did you mean adam?" },
            { 4, "train resnet2O $dir/out.onnx --data sample", "Did you mean resnet20?" },
            { 3, "evaluate $sample --data cifar1O:$dir", "Did you mean cifar10?" },
            { 2, "evaluate $sample --data sample --preset torchvison", "Did you mean torchvision?" },
            { 2, "compress $sample $dir/out.onnx --target params=0.5 --allocate mesured", "Did you mean measured?" },
            { 2, "compress $sample $dir/out.onnx --target params=0.5 --objective sped", "Did you mean speed?" },
            { 2, "inspect", "needs <model.onnx>" },
            { 2, "inspect $sample --bogus", "--bogus" },
            { 4, "inspect $dir/missing.onnx", "missing.onnx" },
            { 4, "inspect $dir", "folder" },
            { 3, "inspect $text", "text.onnx" },
            { 3, "inspect $empty", "is empty" },
            { 4, "inspect $sample --json $dir/none/out.json", "out.json" },
            { 4, "inspect $sample --json $dir", "folder" },
            { 2, "evaluate $sample", "--data" },
            { 3, "evaluate $sample --data unknown:x", "unknown:x" },
            { 4, "evaluate $sample --data idx:$dir/nowhere", "nowhere" },
            { 2, "evaluate $sample --data sample --limit 0", "--limit" },
            { 2, "evaluate $sample --data sample --limit many", "many" },
            { 3, "evaluate $sample --data sample --normalize 1,2,3", "normal" },
            { 3, "evaluate $sample --data npy:$dir/a.npy,$dir/b.npy", "3×8×8" },
            { 3, "evaluate $sample --data npy:$dir/c.npy,$dir/d.npy", "label" },
            { 3, "analyze $sample --layers nothing*", "nothing*" },
            { 2, "analyze $sample --cuts o|o", "o|o" },
            { 2, "analyze $sample --data sample --ranks 0", "\"0\"" },
            { 2, "analyze $sample --data sample --shard 3/2", "3/2" },
            { 4, "analyze $sample --report $dir/none/report.html", "report.html" },
            { 4, "analyze $sample --data sample --resume $text", "text.onnx" },
            { 2, "truncate $sample $dir/out.onnx --cut o|ihw", "--rank" },
            { 2, "truncate $sample $dir/out.onnx --cut o|ihw --rank 2 --norm-loss 0.1", "--norm-loss" },
            { 3, "truncate $sample $dir/out.onnx --cut o|ih --rank 2", "o|ih" },
            { 4, "truncate $sample $dir --cut o|ihw --rank 2", "folder" },
            { 4, "truncate $sample $dir/none/out.onnx --cut o|ihw --rank 2", "none" },
            { 4, "train resnet33 $dir/out.onnx --data sample", "resnet110" },
            { 2, "train $sample $sample --data sample", "overwritten" },
            { 2, "train $sample $dir/out.onnx", "--data" },
            { 2, "train $sample $dir/out.onnx --data sample --schedule linear", "linear" },
            { 2, "train $sample $dir/out.onnx --data sample --epochs 0", "epochs" },
            { 2, "train $sample $dir/out.onnx --data sample --augment rotate", "rotate" },
            { 2, "train $sample $dir/out.onnx --data sample --patience 2 --no-test", "--patience" },
            { 3, "train $sample $dir/out.onnx --data npy:$dir/a.npy,$dir/b.npy", "3×8×8" },
            { 5, "train $sample $dir/out.onnx --data sample --limit 256 --lr 1e6 --epochs 2 --no-test --quiet", "step" },
            { 2, "tune $sample $dir/out.onnx --mode sequential --data sample", "--teacher" },
            { 3, "tune $sample $dir/out.onnx --mode sequential --teacher $sample --data sample --limit 64 --no-test", "block" },
            { 3, "report $text $dir/out.html", "text.onnx" },
            { 3, "merge $dir/out.json $text", "text.onnx" },
            { 4, "merge $dir/out.json $dir/missing.json", "missing.json" },
            { 3, "data get mnist --out $dir/set --from $text", "text.onnx" },
            { 2, "data get imagenet --out $dir/set", "imagenet" },
            { 2, "compress $sample $dir/out.onnx", "--target" },
            { 2, "compress $sample $dir/out.onnx --target size=1", "size=1" },
            { 2, "compress $sample $dir/out.onnx --target params=1.5", "params=1.5" },
            { 2, "compress $sample $dir/out.onnx --target params=0.5 --format zip", "zip" },
            { 2, "compress $sample $sample --target params=0.5", "fashion-cnn.onnx" },
            { 1, "compress $sample $dir/out.onnx --target params=0.01 --format svd-out", "in what stays as it is, 704 in conv3.weight, " },
            { 3, "compress $sample $dir/out.onnx --plan $text", "no plan" },
            { 3, "compress $sample $dir/out.onnx --target params=0.5 --keep nothing*", "nothing*" },
            { 4, "compress $sample $dir/none/out.onnx --target params=0.5 --format svd-out", "none" },
            { 2, "plan $sample", "--target" },
            { 2, "verify $sample $sample --max-drop 1", "--data" },
            { 2, "verify $sample $sample --min-agreement 1.5", "from 0 to 1" },
            { 2, "verify $sample $sample --max-error -0.1", "0 or more" },
            { 2, "verify $sample $sample --max-kl NaN", "0 or more" },
            { 2, "verify $sample $sample --max-drop 101 --data sample", "from -100 to 100" },
            { 2, "quantize $sample $dir/out.onnx --data sample --max-drop -1", "from 0 to 100" },
            { 2, "compress $sample $dir/out.onnx --target max-drop=200 --data sample", "0 to 100" },
            { 2, "compress $sample $dir/out.onnx --target params=0.5 --calibration 0", "--calibration must be at least 1" },
            { 2, "train $sample $dir/out.onnx --data sample --momentum 2", "--momentum takes a number from 0 to 1" },
            { 2, "train $sample $dir/out.onnx --data sample --lr -1", "--lr takes a number of 0 or more" },
            { 2, "train $sample $dir/out.onnx --data sample --label-smoothing 2", "from 0 to 1" },
            { 3, "analyze $sample --cuts x|y", "x|y divides none" },
            { 3, "analyze $sample --cuts o|ihw,d|oihw", "d|oihw divides none" },
            { 3, "analyze $sample --data sample --limit 8 --ranks none --sequence o|ix:2", "does not divide the axes" },
            { 3, "analyze $sample --cuts o|ihw,x|y --dry-run --data sample", "x|y divides none" },
            { 2, "bench $sample $sample --pairs 0", "--pairs must be at least 1" },
            { 2, "bench $sample $sample --shape 3x1x28x28 --batch 16", "--shape says" },
            { 3, "compress $sample $dir/out.onnx --plan $misspelt", "did you mean format?" },
            { 3, "compress $sample $dir/out.onnx --plan $twice", "twice" },
            { 3, "compress $sample $dir/out.onnx --plan $formless", "no format" },
            { 3, "compress $sample $dir/out.onnx --plan $repeated", "'layers[0].ranks' is given twice" },
            { 2, "bench $sample $sample --batch 0", "--batch" },
            { 2, "evaluate $sample --data sample --limit -1", "--limit" },
            { 2, "evaluate $sample --data sample --batch 0", "--batch must be at least 1" },
            { 2, "evaluate $sample --data sample --threads 10000", "--threads must be at most 1024" },
            { 2, "analyze $sample --threads 0", "--threads must be at least 1" },
            { 2, "analyze $sample --threads -1", "--threads must be at least 1" },
            { 2, "truncate $sample $dir/out.onnx --cut o|ihw --rank 2 --threads 0", "--threads must be at least 1" },
            { 2, "truncate $sample $sample --cut o|ihw --rank 2", "would be overwritten" },
            { 2, "truncate $sample $dir/link.onnx --cut o|ihw --rank 2", "would be overwritten" },
            { 2, "truncate $sample $dir/out.onnx --cut o|ihw --rank 2 --json $dir/out.onnx", "would be overwritten" },
            { 2, "inspect $sample --json $sample", "would be overwritten" },
            { 2, "evaluate $sample --data sample --json $sample", "would be overwritten" },
            { 2, "analyze $sample --report $sample", "would be overwritten" },
            { 2, "report $text $text", "would be overwritten" },
            { 2, "merge $text $text", "would be overwritten" },
            { 4, "analyze $sample --csv $text", "folder is needed" },
            { 4, "evaluate $sample --data sample --limit 4 --json $dir/none/out.json", "none" },
            { 2, "bench $sample $sample --runtime fast", "fast" },
            { 2, "bench $sample $sample --runtime openvino", "own or onnxruntime" },
            { 2, "tune $sample $dir/out.onnx --data sample --mode best", "e2e or sequential" },
            { 2, "evaluate $sample --data sample --split valid", "train or test" },
            { 2, "verify $sample $sample --max-drop little", "--max-drop takes a number" },
            { 3, "evaluate $sample --data sample --output nowhere", "nowhere" },
            {
                1,
                "compress $sample $dir/out.onnx --target params=0.3 --target max-drop=0 --format svd-out --data sample --limit 200 --calibration 16 --quiet",
                "was not written"
            },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_names_what_is_wrong_and_leaves_nothing(int code, string command, string named)
    {
        string text = Put("text.onnx", Text),
            empty = Put("empty.onnx", ""),
            misspelt = Put("misspelt.json", Plan("""{"name":"conv2.weight","fromat":"tucker2","ranks":[4,4]}""")),
            twice = Put(
                "twice.json",
                Plan("""{"name":"conv2.weight","format":"tucker2","ranks":[4,4]},{"name":"conv2.weight","format":"cp","ranks":[4]}""")
            ),
            formless = Put("formless.json", Plan("""{"name":"conv2.weight","ranks":[4,4]}""")),
            repeated = Put("repeated.json", Plan("""{"name":"conv2.weight","format":"tucker2","ranks":[4,4],"ranks":[8,8]}"""));
        NpyFile.Write(new Tensor<byte>([2, 3, 8, 8]), Path.Combine(_folder.FullName, "a.npy"));
        NpyFile.Write(new Tensor<long>([2]), Path.Combine(_folder.FullName, "b.npy"));
        NpyFile.Write(new Tensor<byte>([2, 1, 28, 28]), Path.Combine(_folder.FullName, "c.npy"));
        NpyFile.Write(new Tensor<long>([2], new long[] { 0, 10 }), Path.Combine(_folder.FullName, "d.npy"));
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "link.onnx"), Sample);
        byte[] sample = File.ReadAllBytes(Sample);
        string[] before = Files();
        string[] arguments =
        [
            .. command
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(word =>
                    word.Replace("$misspelt", misspelt)
                        .Replace("$twice", twice)
                        .Replace("$formless", formless)
                        .Replace("$repeated", repeated)
                        .Replace("$sample", Sample)
                        .Replace("$text", text)
                        .Replace("$empty", empty)
                        .Replace("$dir", _folder.FullName)
                ),
        ];

        CommandRun run = await CommandRun.Of(arguments);

        Assert.Equal((code, true), (run.Code, run.Error.Contains(named, StringComparison.OrdinalIgnoreCase) || Said(run)));
        Assert.StartsWith("tensorial", run.Error);
        Assert.DoesNotContain("   at ", run.Error);
        Assert.DoesNotContain("System.", run.Error);
        Assert.DoesNotContain("Tensorial.", run.Error);
        Assert.DoesNotContain("`", run.Error);
        Assert.Equal(before, Files());
        Assert.Equal(Text, File.ReadAllText(text));
        Assert.Equal(sample, File.ReadAllBytes(Sample));

        static bool Said(CommandRun run) => throw new Xunit.Sdk.XunitException($"exit code {run.Code}, stderr: {run.Error}");
    }

    private static string Plan(string layers) => $$"""{"schemaVersion":1,"layers":[{{layers}}]}""";

    private string Put(string name, string content)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    private string[] Files() => [.. Directory.GetFileSystemEntries(_folder.FullName, "*", SearchOption.AllDirectories).Order()];
}
