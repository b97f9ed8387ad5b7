using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;

namespace Tensorial.Tests.Onnx;

/// <summary>What is written is an operator of the file's operator set, or is not written.</summary>
public class OnnxLawTests
{
    [OracleFact(Oracle.OnnxPython)]
    public void The_table_says_what_onnx_says()
    {
        string differences = Oracles.RunPython(
            """
            import onnx, sys
            from onnx import defs
            T = dict(float16='f16', bfloat16='bf16', float='f32', double='f64', int8='i8', int16='i16', int32='i32', int64='i64',
                     uint8='u8', uint16='u16', uint32='u32', uint64='u64', bool='bool')
            G = dict(float='f16,f32,f64', wide='f16,f32,f64,i32,i64,u32,u64', index='i32,i64', int='i8,i16,i32,i64,u8,u16,u32,u64',
                     num='f16,f32,f64,i8,i16,i32,i64,u8,u16,u32,u64', all='f16,f32,f64,i8,i16,i32,i64,u8,u16,u32,u64,bool')
            A = dict(INT='i', FLOAT='f', STRING='s', TENSOR='t', GRAPH='g', INTS='is', FLOATS='fs', STRINGS='ss')
            def group(text):
                return frozenset((G.get(text.rstrip('+'), text.rstrip('+')) + (',bf16' if text.endswith('+') else '')).split(',')) - {'-'}
            def given(line):
                head, body, variables, attributes = line.split(' | ')
                v = dict(w.split('=') for w in variables.split()) if variables != '.' else {}
                def side(text):
                    return [] if text == '.' else [(group(v.get(w.rstrip('?*~'), w.rstrip('?*~'))), w[-1] if w[-1] in '?*~' else '') for w in text.split()]
                i, o = body.split(' -> ')
                return side(i), side(o), {} if attributes == '.' else dict(w.split(':') for w in attributes.split())
            def wanted(s):
                def kind(p):
                    if p.option == defs.OpSchema.FormalParameterOption.Variadic: return '*' if p.isHomogeneous else '~'
                    return '?' if p.option == defs.OpSchema.FormalParameterOption.Optional else ''
                def types(p):
                    return frozenset(T[t[7:-1]] for t in p.types if t.startswith('tensor(') and t[7:-1] in T)
                return ([(types(p), kind(p)) for p in s.inputs], [(types(p), kind(p)) for p in s.outputs],
                        {n: A.get(a.type.name, 'o') + ('!' if a.required else '') for n, a in s.attributes.items()})
            newest = defs.onnx_opset_version()
            # Later editions of onnx mended these: exchanged variables, and types that no kernel had.
            mended = {('GridSample', 16), ('Erf', 13)}
            rows = {}
            for line in open(sys.argv[1]):
                if not line.startswith('#'):
                    name, since = line.split(' | ')[0].split()
                    rows.setdefault(name, []).append((int(since), line.strip()))
            for s in defs.get_all_schemas_with_history():
                if s.domain != '' or s.since_version > newest or (s.name, s.since_version) in mended: continue
                fits = [l for n, l in sorted(rows.get(s.name, [])) if n <= max(7, s.since_version)]
                if not fits: print('missing', s.name, s.since_version); continue
                later = [t.since_version for t in defs.get_all_schemas_with_history() if t.domain == '' and t.name == s.name and s.since_version < t.since_version <= 7]
                if later: continue
                if s.deprecated != fits[-1].endswith('deprecated'): print('deprecated', s.name, s.since_version)
                if not s.deprecated and given(fits[-1]) != wanted(s): print(s.name, s.since_version, given(fits[-1]), wanted(s))
            """,
            Path.Combine(Oracles.Repository, "src", "Tensorial", "Onnx", "operators.txt")
        );
        Assert.Equal("", differences);
    }

    [Theory]
    [InlineData(7), InlineData(9), InlineData(10), InlineData(11)]
    public void A_product_without_a_term_to_add_is_written_for_every_operator_set(int opset)
    {
        Graph graph = With(opset, new Node("made", new Gemm { TransposeB = true }, ["f", "d"], ["y"]));
        OrtRuntime.Load(OnnxFile.ToBytes(graph), 1).Dispose();
    }

    public static TheoryData<int, Operation, string[], string> Breaches() =>
        new()
        {
            {
                13,
                new Convolution { KernelShape = [3, 3] },
                ["r"],
                "needs its input 1"
            },
            {
                13,
                new Convolution { KernelShape = [3, 3] },
                ["r", "d", "b", "b"],
                "at most 3 inputs"
            },
            {
                9,
                new MaxPool { KernelShape = [2, 2], Dilations = [1, 1] },
                ["r"],
                "'dilations'"
            },
            {
                9,
                new MaxPool { KernelShape = [2, 2], CeilMode = true },
                ["r"],
                "'ceil_mode'"
            },
            { 13, new Add(), ["f", "integers"], "one type" },
            { 13, new Relu(), ["integers"], "Int64" },
        };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void What_is_no_operator_of_the_set_is_refused(int opset, Operation operation, string[] inputs, string named)
    {
        Graph graph = With(opset, new Node("made", operation, [.. inputs], ["y"]));
        UnsupportedException refusal = Assert.Throws<UnsupportedException>(() => OnnxFile.ToBytes(graph));
        Assert.Contains("'made'", refusal.Message);
        Assert.Contains(named, refusal.Message);
        Assert.Contains($"{opset}", refusal.Message);
    }

    [Fact]
    public void Constants_that_the_writer_adds_get_names_of_their_own()
    {
        Node clip = new("twice", new Clip(0, 6), ["r"], ["y"]);
        Graph graph = With(13, clip) with { Nodes = [.. With(13, clip).Nodes, new("twice", new Clip(1, 5), ["r"], ["z"])] };
        Graph written = OnnxFile.Read(OnnxFile.ToBytes(graph), "written");
        Assert.Equal(
            4,
            written.Nodes.Where(static node => node.Name == "twice").SelectMany(static node => node.Inputs.Skip(1)).Distinct().Count()
        );
    }

    /// <summary>The tiny network in an operator set, its last node another.</summary>
    private static Graph With(int opset, Node last)
    {
        ModelProto model = TinyModel.Convolutional();
        model.OpsetImport.Single().Version = opset;
        Graph graph = OnnxFile.Read(model.ToByteArray(), "tiny.onnx");
        return graph with
        {
            Nodes = [.. graph.Nodes.Where(static node => node.Name != "dense"), last],
            Initializers = graph.Initializers.Add("integers", new Tensor<long>([1])),
        };
    }
}
