using System.Text;
using Google.Protobuf;
using Tensorial.Execution;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>
/// Networks of very many nodes, each small. Whatever is done with them takes time in proportion to their size: what grows with its square
/// takes minutes here, and an hour with TENSORIAL_HEAVY=1. Chains must not end on the stack either.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LongNetworkTests : IDisposable
{
    private static readonly int Count = Oracles.Heavy ? 300_000 : 30_000;

    /// <summary>No measure of speed: a walk in linear time takes seconds.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(Oracles.Heavy ? 10 : 2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    public static TheoryData<string> Cases() => [.. Models.Keys];

    private static readonly Dictionary<string, Func<ModelProto>> Models = new()
    {
        ["identities"] = static () => Chain(static (from, to, _) => [TinyModel.Node("Identity", "", [from], [to])]),
        ["rectifiers"] = static () => Chain(static (from, to, _) => [TinyModel.Node("Relu", "", [from], [to])]),
        ["diamonds"] = static () => Chain(static (from, to, _) => [TinyModel.Node("Mul", "", [from, from], [to])]),
        ["parts taken and put together"] = static () =>
            Chain(
                static (from, to, k) =>
                    [
                        TinyModel.Node("Split", "", [from], [$"a{k}", $"b{k}"], TinyModel.Int("axis", 1)),
                        TinyModel.Node("Concat", "", [$"a{k}", $"b{k}"], [to], TinyModel.Int("axis", 1)),
                    ],
                Count / 2
            ),
        ["moves"] = static () =>
            Chain(
                static (from, to, k) =>
                    [
                        TinyModel.Node("Transpose", "", [from], [$"t{k}"], TinyModel.Ints("perm", 0, 2, 1, 3)),
                        TinyModel.Node("Reshape", "", [$"t{k}", "shape"], [to]),
                    ],
                Count / 2,
                TinyModel.Longs("shape", -1, 2, 4, 4)
            ),
        ["skips"] = static () => Chain(static (from, to, k) => [TinyModel.Node("Add", "", [from, k < 2 ? "x" : $"v{k - 1}"], [to])]),
        ["readers of one value"] = static () =>
            OnImages(
                [],
                [
                    .. Enumerable.Range(0, Count).Select(static k => TinyModel.Node("Relu", "", ["x"], [$"r{k}"])),
                    TinyModel.Node("Sum", "", [.. Enumerable.Range(0, Count).Select(static k => $"r{k}")], ["y"]),
                ]
            ),
        ["values put together"] = static () =>
            OnImages(
                [],
                [
                    .. Enumerable.Range(0, Count).Select(static k => TinyModel.Node("Relu", "", ["x"], [$"r{k}"])),
                    TinyModel.Node(
                        "Concat",
                        "",
                        [.. Enumerable.Range(0, Count).Select(static k => $"r{k}")],
                        ["y"],
                        TinyModel.Int("axis", 1)
                    ),
                ]
            ),
        ["one value put together with itself"] = static () =>
            OnImages([], TinyModel.Node("Concat", "", [.. Enumerable.Repeat("x", Count)], ["y"], TinyModel.Int("axis", 1))),
        ["constants"] = static () =>
            OnImages(
                [.. Enumerable.Range(0, Count).Select(static k => TinyModel.Floats($"c{k}", [1]))],
                Enumerable.Range(0, Count).Select(static k => TinyModel.Node("Add", "", [k == 0 ? "x" : $"v{k}", $"c{k}"], [Value(k + 1)]))
            ),
        ["constants made of each other"] = static () =>
            OnImages(
                [.. Enumerable.Range(0, Count).Select(static k => TinyModel.Floats($"c{k}", [1]))],
                [
                    .. Enumerable
                        .Range(1, Count - 1)
                        .Select(static k => TinyModel.Node("Add", "", [$"c{k}", k == 1 ? "c0" : $"s{k - 1}"], [$"s{k}"])),
                    TinyModel.Node("Mul", "", ["x", $"s{Count - 1}"], ["y"]),
                ]
            ),
        ["constants from one shape"] = static () =>
            OnImages(
                [TinyModel.Longs("s0", 1), .. Enumerable.Range(0, Count / 10).Select(static k => TinyModel.Floats($"c{k}", [1]))],
                [
                    .. Enumerable.Range(0, Count / 10).Select(static k => TinyModel.Node("Abs", "", [$"s{k}"], [$"s{k + 1}"])),
                    .. Enumerable
                        .Range(0, Count / 10)
                        .SelectMany(static k =>
                            (NodeProto[])
                                [
                                    TinyModel.Node("Reshape", "", [$"c{k}", $"s{Count / 10}"], [$"d{k}"]),
                                    TinyModel.Node("Add", "", [k == 0 ? "x" : $"a{k - 1}", $"d{k}"], [$"a{k}"]),
                                ]
                        ),
                    TinyModel.Node("Relu", "", [$"a{Count / 10 - 1}"], ["y"]),
                ]
            ),
        ["constant nodes"] = static () =>
            Chain(
                static (from, to, k) =>
                    [
                        TinyModel.Node("Constant", "", [], [$"c{k}"], TinyModel.Tensor("value", TinyModel.Floats("", [1]))),
                        TinyModel.Node("Add", "", [from, $"c{k}"], [to]),
                    ],
                Count / 2
            ),
        ["convolutions of one kernel"] = static () =>
            Chain(static (from, to, _) => [TinyModel.Node("Conv", "", [from, "w"], [to])], Count, TinyModel.Floats("w", [2, 2, 1, 1])),
        ["convolutions"] = static () =>
            OnImages(
                [.. Enumerable.Range(0, Count / 50).Select(static k => TinyModel.Floats($"w{k}", [2, 2, 1, 1]))],
                Enumerable
                    .Range(0, Count / 50)
                    .Select(static k =>
                        TinyModel.Node("Conv", "", [k == 0 ? "x" : $"v{k}", $"w{k}"], [k == Count / 50 - 1 ? "y" : $"v{k + 1}"])
                    )
            ),
        ["kernels that nodes make"] = static () =>
            OnImages(
                [TinyModel.Floats("w0", [2, 2, 1, 1])],
                [
                    .. Enumerable.Range(0, Count / 2).Select(static k => TinyModel.Node("Relu", "", [$"w{k}"], [$"w{k + 1}"])),
                    .. Enumerable
                        .Range(0, Count / 2)
                        .Select(static k =>
                            TinyModel.Node("Conv", "", [k == 0 ? "x" : $"v{k}", $"w{k + 1}"], [k == Count / 2 - 1 ? "y" : $"v{k + 1}"])
                        ),
                ]
            ),
        ["branches"] = static () =>
            Chain(
                static (from, to, k) =>
                    [
                        TinyModel.Node(
                            "If",
                            "choice",
                            ["yes"],
                            [to],
                            TinyModel.Body("then_branch", Body($"p{k}", TinyModel.Node("Relu", "same", [from], [$"p{k}"]))),
                            TinyModel.Body("else_branch", Body($"q{k}", TinyModel.Node("Neg", "same", [from], [$"q{k}"])))
                        ),
                    ],
                Count / 3,
                new TensorProto
                {
                    Name = "yes",
                    DataType = (int)TensorProto.Types.DataType.Bool,
                    Int32Data = { 1 },
                }
            ),
        ["calls of one name"] = static () => WithFunction("f", 1, Count / 2),
        ["a call of a name of a million letters"] = static () => WithFunction(new string('f', 1_000_000), Count, 1),
        ["names of a hundred thousand letters"] = static () =>
            Chain(static (from, to, k) => [TinyModel.Node("Relu", new string('n', 100_000) + k, [from], [to])], 100),
        ["nodes in the wrong order"] = static () =>
        {
            ModelProto model = Chain(static (from, to, _) => [TinyModel.Node("Relu", "", [from], [to])]);
            NodeProto[] nodes = [.. model.Graph.Node.Reverse()];
            model.Graph.Node.Clear();
            model.Graph.Node.Add(nodes);
            return model;
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task It_takes_time_in_proportion(string name)
    {
        string model = At("model.onnx");
        File.WriteAllBytes(model, Models[name]().ToByteArray());
        NpyFile.Write(new Tensor<float>([2, 2, 4, 4]), At("im.npy"));
        NpyFile.Write(new Tensor<long>([2], new long[] { 0, 1 }), At("la.npy"));
        string[] data = ["--data", $"npy:{At("im.npy")},{At("la.npy")},nchw", "--threads", "1"];

        foreach (
            string[] command in (string[][])
                [
                    ["inspect", model],
                    ["plan", model, "--target", "params=0.5", "--threads", "1"],
                    ["compress", model, At("out.onnx"), "--target", "params=0.9", "--objective", "size", "--threads", "1"],
                    ["evaluate", model, .. data],
                ]
        )
        {
            // A stack of the usual size, whatever the test's own thread has.
            CommandRun run = await Task.Run(() => CommandRun.Of(command)).WaitAsync(Hang);
            Assert.True(run.Code is 0 or 1 or 3, $"{command[0]}: exit code {run.Code}: {run.Error}");
            Assert.DoesNotContain("   at ", run.Error);
            Assert.InRange(run.Error.Length, 0, 5000);
        }
        // Not every one of them has scores to evaluate; each runs.
        Tensor<float> answer = await Task.Run(() =>
            {
                using Inference network = new(OnnxFile.Read(model), threads: 1);
                return network.Run(new Tensor<float>([2, 2, 4, 4]));
            })
            .WaitAsync(Hang);
        Assert.Equal(2, answer.Shape[0]);
    }

    /// <summary>Bodies in bodies, as deep as the format allows and one deeper.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(30)]
    [InlineData(2_000)]
    public void Branches_in_branches_are_read_or_refused(int depth)
    {
        // Written from the inside out: the library that writes protocol buffers goes down on the stack.
        byte[] body = Body("r", TinyModel.Node("Relu", "", ["x"], ["r"])).ToByteArray();
        for (int k = 0; k < depth; k++)
        {
            byte[] then = Record(5, [.. Text(1, "then_branch"), .. Record(6, body), .. Number(20, 5)]),
                other = Record(5, [.. Text(1, "else_branch"), .. Record(6, body), .. Number(20, 5)]),
                node = [.. Text(1, "x_is_big"), .. Text(2, "r"), .. Text(4, "If"), .. then, .. k == 0 ? other : []];
            body = [.. Record(1, node), .. Text(2, "body"), .. Record(12, Text(1, "r"))];
            if (body.Length > 1 << 26)
                break;
        }
        byte[] model = [.. Number(1, 8), .. Record(8, [.. Text(1, ""), .. Number(2, 13)]), .. Record(7, body)];

        Assert.ThrowsAny<BadInputException>(() => OnnxFile.Read(model, "deep.onnx"));
    }

    /// <summary>Groups are a form of records that nobody writes any more; a parser walks over them all the same.</summary>
    [Fact]
    public void Ten_thousand_groups_in_groups_are_refused()
    {
        byte[] model = [.. Enumerable.Repeat((byte)0xF3, 10_000).SelectMany(static tag => (byte[])[tag, 0x07])];

        Assert.Throws<BadInputException>(() => OnnxFile.Read(model, "groups.onnx"));
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Value(int k) => k == Count ? "y" : $"v{k}";

    private static ModelProto Chain(Func<string, string, int, NodeProto[]> link, int? count = null, params TensorProto[] constants)
    {
        int links = count ?? Count;
        return OnImages(
            constants,
            Enumerable.Range(0, links).SelectMany(k => link(k == 0 ? "x" : $"v{k}", k == links - 1 ? "y" : $"v{k + 1}", k))
        );
    }

    private static ModelProto OnImages(IEnumerable<TensorProto> constants, params IEnumerable<NodeProto> nodes)
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "N", 2, 4, 4));
        model.Graph.Output.Add(TinyModel.Port("y"));
        model.Graph.Initializer.Add(constants);
        model.Graph.Node.Add(nodes);
        return model;
    }

    private static GraphProto Body(string output, params NodeProto[] nodes) =>
        new()
        {
            Name = "body",
            Node = { nodes },
            Output = { new ValueInfoProto { Name = output } },
        };

    /// <summary>A function of so many nodes, called so often.</summary>
    private static ModelProto WithFunction(string name, int nodes, int calls)
    {
        ModelProto model = Chain((from, to, _) => [new NodeProto(TinyModel.Node(name, name, [from], [to])) { Domain = "own" }], calls);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        model.Functions.Add(
            new FunctionProto
            {
                Name = name,
                Domain = "own",
                Input = { "p" },
                Output = { $"f{nodes}" },
                OpsetImport =
                {
                    new OperatorSetIdProto { Domain = "", Version = 13 },
                },
                Node = { Enumerable.Range(0, nodes).Select(k => TinyModel.Node("Relu", "", [k == 0 ? "p" : $"f{k}"], [$"f{k + 1}"])) },
            }
        );
        return model;
    }

    private static byte[] Record(int field, byte[] content) =>
        [.. Varint((uint)field << 3 | 2), .. Varint((uint)content.Length), .. content];

    private static byte[] Text(int field, string text) => Record(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Number(int field, uint number) => [.. Varint((uint)field << 3), .. Varint(number)];

    private static byte[] Varint(uint number)
    {
        List<byte> bytes = [];
        for (; number > 0x7F; number >>= 7)
            bytes.Add((byte)(number | 0x80));
        return [.. bytes, (byte)number];
    }
}
