using Google.Protobuf;
using Tensorial.Compression.Runtimes;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Operations;

namespace Tensorial.Tests.Onnx;

/// <summary>Single operators against ONNX Runtime: those that the backend suite is too old for, or tries in few forms.</summary>
public class RuntimeOperatorTests
{
    private sealed record Row(string Type, int Opset, Tensor?[] Inputs, int Outputs, params (string, object?)[] Attributes)
    {
        public string Domain { get; init; } = "";

        /// <summary>Quantised results may differ by one, where a rounding falls the other way.</summary>
        public double Tolerance { get; init; } = 2e-5;
    }

    private static Row Microsoft(string type, Tensor?[] inputs, params (string, object?)[] attributes) =>
        new(type, 17, inputs, 1, attributes)
        {
            Domain = "com.microsoft",
            Tolerance = type.StartsWith('Q') && type != "QuickGelu" ? 1 : 2e-5,
        };

    private static IEnumerable<Row> Recurrent()
    {
        foreach (string direction in (string[])["forward", "reverse", "bidirectional"])
        foreach ((string type, int gates) in ((string, int)[])[("RNN", 1), ("GRU", 3), ("LSTM", 4)])
        foreach (int linear in type == "GRU" ? (int[])[0, 1] : [0])
        {
            int d = direction == "bidirectional" ? 2 : 1;
            Tensor?[] inputs =
            [
                Real([5, 2, 4], 1),
                Real([d, 3 * gates, 4], 2),
                Real([d, 3 * gates, 3], 3),
                Real([d, 6 * gates], 4),
                new Tensor<int>([2], new[] { 5, 3 }),
                Real([d, 2, 3], 5),
                .. type == "LSTM" ? [Real([d, 2, 3], 6), Real([d, 9], 7)] : Array.Empty<Tensor?>(),
            ];
            yield return new(
                type,
                14,
                inputs,
                type == "LSTM" ? 3 : 2,
                ("direction", direction),
                ("hidden_size", 3),
                ("linear_before_reset", type == "GRU" ? linear : null)
            );
        }
    }

    private static IEnumerable<Row> Quantised()
    {
        Tensor scale = One(0.03f),
            scales = new Tensor<float>([3], new[] { 0.01f, 0.02f, 0.03f });
        Tensor<byte> zero = new([], new byte[] { 117 });
        // Weights of seven bits: with all eight, processors without dot products of bytes saturate their sums.
        Tensor x = Bytes([2, 4, 6, 5], 1),
            w = Signed([3, 4, 3, 3], 2),
            bias = Some.Whole<int>([3], 3);
        yield return new(
            "QLinearConv",
            13,
            [x, scale, zero, w, scales, Zeros<sbyte>([3]), One(0.09f), zero, bias],
            1,
            ("strides", Ints(2, 1)),
            ("pads", Ints(1, 0, 1, 1))
        )
        {
            Tolerance = 1,
        };
        yield return new("ConvInteger", 13, [x, w, zero, null], 1, ("pads", Ints(1, 1, 1, 1)));
        yield return new("MatMulInteger", 13, [Bytes([2, 3, 4], 4), Signed([4, 5], 5), zero, null], 1);
        yield return new(
            "QLinearMatMul",
            13,
            [Bytes([3, 4], 6), scale, zero, Signed([4, 3], 7), scales, Zeros<sbyte>([3]), One(0.09f), zero],
            1
        )
        {
            Tolerance = 1,
        };
        yield return new("DynamicQuantizeLinear", 13, [Real([3, 5], 8)], 3) { Tolerance = 1 };
        yield return new(
            "QuantizeLinear",
            13,
            [Real([2, 3, 4], 9), scales, new Tensor<sbyte>([3], new sbyte[] { 1, -5, 7 })],
            1,
            ("axis", 1)
        )
        {
            Tolerance = 1,
        };
        yield return new(
            "QuantizeLinear",
            21,
            [Real([2, 6], 10), Positive([2, 3], 11), Bytes([2, 3], 12)],
            1,
            ("axis", 1),
            ("block_size", 2)
        )
        {
            Tolerance = 1,
        };
        yield return new("QuantizeLinear", 21, [Real([2, 6], 10), scale, new Tensor<short>([], new short[] { -300 })], 1) { Tolerance = 1 };
        yield return new("DequantizeLinear", 13, [Bytes([2, 3, 4], 13), scales, Bytes([3], 14)], 1, ("axis", 1));
        yield return new("DequantizeLinear", 21, [Bytes([2, 6], 15), Positive([2, 3], 16), null], 1, ("axis", 1), ("block_size", 2));
        Tensor a = Bytes([2, 3, 4], 17),
            b = Bytes([3, 1], 18);
        yield return Microsoft("QLinearAdd", [a, scale, zero, b, One(0.05f), zero, One(0.0813f), zero]);
        yield return Microsoft("QLinearMul", [a, scale, zero, b, One(0.05f), zero, One(0.3f), zero]);
        yield return Microsoft("QLinearSigmoid", [a, scale, zero, One(1 / 256f), Zeros<byte>([])]);
        yield return Microsoft("QLinearLeakyRelu", [a, scale, zero, One(0.05f), zero], ("alpha", 0.2f));
        yield return Microsoft("QLinearGlobalAveragePool", [x, scale, zero, One(0.01f), zero]);
        yield return Microsoft(
            "QLinearAveragePool",
            [x, scale, zero, One(0.0237f), zero],
            ("kernel_shape", Ints(2, 3)),
            ("pads", Ints(1, 1, 0, 0))
        );
        yield return Microsoft("QLinearConcat", [One(0.05f), zero, a, scale, zero, Bytes([2, 1, 4], 19), One(0.04f), zero], ("axis", 1));
        yield return Microsoft(
            "QGemm",
            [Bytes([3, 4], 20), scale, zero, Signed([3, 4], 21), scales, Zeros<sbyte>([3]), bias, One(0.09f), zero],
            ("transB", 1),
            ("alpha", 0.5f)
        );
    }

    private static IEnumerable<Row> Others()
    {
        foreach (string mode in (string[])["linear", "nearest", "cubic"])
        foreach (string padding in (string[])["zeros", "border", "reflection"])
        foreach (int corners in (int[])[0, 1])
            yield return new(
                "GridSample",
                20,
                [Real([2, 3, 5, 4], 1), Real([2, 3, 4, 2], 2, 1.7)],
                1,
                ("mode", mode),
                ("padding_mode", padding),
                ("align_corners", corners)
            );
        // More points than one piece of work has, and volumes.
        yield return new("GridSample", 20, [Real([2, 3, 9, 7], 1), Real([2, 19, 17, 2], 2, 1.3f)], 1, ("mode", "cubic"));
        foreach (string mode in (string[])["linear", "nearest"])
            yield return new("GridSample", 20, [Real([1, 2, 3, 4, 5], 1), Real([1, 2, 4, 3, 3], 2, 1.3f)], 1, ("mode", mode));
        yield return new("GroupNormalization", 21, [Real([2, 6, 5], 3), Real([6], 4), Real([6], 5)], 1, ("num_groups", 3));
        yield return new("RMSNormalization", 23, [Real([2, 3, 8], 6), Real([8], 7)], 1, ("epsilon", 0.01f));
        yield return new("Attention", 23, [Real([2, 3, 4, 8], 8), Real([2, 3, 6, 8], 9), Real([2, 3, 6, 5], 10)], 1);
        yield return new(
            "Attention",
            23,
            [Real([2, 4, 4, 8], 8), Real([2, 2, 4, 8], 9), Real([2, 2, 4, 8], 10)],
            1,
            ("is_causal", 1),
            ("scale", 0.3f)
        );
        yield return new(
            "Attention",
            23,
            [Real([2, 4, 24], 8), Real([2, 6, 24], 9), Real([2, 6, 24], 10), Real([4, 6], 11)],
            1,
            ("q_num_heads", 3),
            ("kv_num_heads", 3),
            ("softcap", 0.7f)
        );
        yield return new(
            "Attention",
            23,
            [
                Real([1, 2, 3, 4], 8),
                Real([1, 2, 3, 4], 9),
                Real([1, 2, 3, 4], 10),
                Mask([3, 5]),
                Real([1, 2, 2, 4], 11),
                Real([1, 2, 2, 4], 12),
            ],
            3
        );
        yield return new("LayerNormalization", 17, [Real([2, 3, 8], 13), Real([3, 8], 14), Real([3, 8], 15)], 1, ("axis", 1));
        yield return new("Swish", 24, [Real([7], 16, 4)], 1, ("alpha", 1.3f));
        yield return new("STFT", 17, [Real([2, 40, 1], 17), Longs([], 6), Real([11], 18), null], 1);
        yield return new("STFT", 17, [Real([2, 40, 1], 17), Longs([], 5), null, Longs([], 12)], 1, ("onesided", 0));
        yield return new("DFT", 20, [Real([2, 7, 3, 2], 19), null, Longs([], 1)], 1);
        yield return new("DFT", 20, [Real([2, 9, 1], 20), Longs([], 12), Longs([], 1)], 1, ("onesided", 1));
        yield return new("DFT", 20, [Real([2, 6, 2], 21), null, Longs([], 1)], 1, ("inverse", 1));
        foreach (string reduction in (string[])["none", "add", "mul", "max", "min"])
        {
            yield return new("ScatterND", 18, [Real([4, 3], 22), Longs([2, 1], 3, -3), Real([2, 3], 23)], 1, ("reduction", reduction));
            yield return new(
                "ScatterElements",
                18,
                [Real([3, 4], 24), Longs([2, 2], 1, -1, 0, 2), Real([2, 2], 25)],
                1,
                ("axis", 1),
                ("reduction", reduction)
            );
        }
        yield return new("GatherND", 13, [Real([2, 3, 4], 26), Longs([2, 2, 1], 2, -1, 0, 1)], 1, ("batch_dims", 1));
        yield return new("TopK", 11, [Some.Whole<float>([3, 9], 27), Longs([1], 4)], 2, ("axis", -1));
        yield return new("TopK", 11, [Some.Whole<long>([5, 3], 28), Longs([1], 2)], 2, ("axis", 0), ("largest", 0));
        yield return new(
            "NonMaxSuppression",
            11,
            [Real([2, 12, 4], 29), Real([2, 3, 12], 30), Longs([1], 4), One(0.2f, 1), One(0.1f, 1)],
            1
        );
        yield return new(
            "NonMaxSuppression",
            11,
            [Positive([1, 12, 4], 31), Real([1, 1, 12], 32), Longs([1], 9), One(0.3f, 1)],
            1,
            ("center_point_box", 1)
        );
        yield return new("Trilu", 14, [Real([2, 3, 4], 33), Longs([], 1)], 1, ("upper", 0));
        yield return new("CumSum", 14, [Real([2, 5], 34), Longs([], 1)], 1, ("reverse", 1), ("exclusive", 1));
        yield return new(
            "OneHot",
            11,
            [Longs([2, 2], 1, -2, 3, 9), Longs([], 5), new Tensor<float>([2], new[] { -1f, 2 })],
            1,
            ("axis", 1)
        );
        yield return new("EyeLike", 9, [Real([3, 4], 35)], 1, ("k", 1));
        yield return new("NonZero", 13, [Some.Whole<float>([3, 4], 36)], 1);
        yield return new("Compress", 11, [Real([3, 4], 37), new Tensor<bool>([3], new[] { true, false, true })], 1, ("axis", 0));
        yield return new("ReverseSequence", 10, [Real([4, 3, 2], 38), Longs([3], 4, 1, 2)], 1);
        yield return new(
            "BitShift",
            11,
            [Bytes([6], 39), new Tensor<byte>([6], new byte[] { 0, 1, 2, 3, 7, 7 })],
            1,
            ("direction", "LEFT")
        );
        yield return Microsoft("FusedMatMul", [Real([2, 4, 3], 40), Real([2, 5, 4], 41)], ("transA", 1), ("transB", 1), ("alpha", 0.7f));
        yield return Microsoft("Gelu", [Real([9], 42, 3)]);
        yield return Microsoft("QuickGelu", [Real([9], 43, 3)]);
        Tensor[] convolved = [Real([1, 2, 5, 5], 44), Real([3, 2, 3, 3], 45), Real([3], 46)];
        yield return Microsoft(
            "FusedConv",
            convolved,
            ("kernel_shape", Ints(3, 3)),
            ("activation", "LeakyRelu"),
            ("activation_params", Floats(0.2f))
        );
        yield return Microsoft(
            "FusedConv",
            convolved,
            ("kernel_shape", Ints(3, 3)),
            ("activation", "Clip"),
            ("activation_params", Floats(-0.5f, 0.5f))
        );
    }

    /// <summary>What the standard took back with operator set 10.</summary>
    private static IEnumerable<Row> Experimental()
    {
        Tensor image = Real([2, 3, 7, 6], 47);
        yield return new("ImageScaler", 7, [image], 1, ("scale", 0.3f), ("bias", Floats(-1, 0.5f, 2)));
        yield return new("Crop", 7, [image], 1, ("border", Ints(1, 2, 0, 3)));
        yield return new("Crop", 9, [image], 1, ("border", Ints(2, 1, 2, 1)), ("scale", Ints(3, 2)));
        yield return new("Affine", 8, [image], 1, ("alpha", 0.4f), ("beta", -2f));
        yield return new("ParametricSoftplus", 9, [image], 1, ("alpha", 0.7f), ("beta", 1.9f));
        yield return new("ScaledTanh", 9, [image], 1, ("alpha", 1.7f), ("beta", 0.6f));
    }

    private static readonly Row[] Rows = [.. Recurrent(), .. Quantised(), .. Others(), .. Experimental()];

    public static TheoryData<int, string> Cases()
    {
        TheoryData<int, string> cases = [];
        for (int i = 0; i < Rows.Length; i++)
            cases.Add(i, Rows[i].Type);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_operator_agrees(int index, string type)
    {
        Row row = Rows[index];
        Assert.Equal(type, row.Type);
        ModelProto model = TinyModel.Empty();
        model.IrVersion = 10;
        model.OpsetImport[0].Version = row.Opset;
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        Dictionary<string, Tensor> inputs = [];
        NodeProto node = new()
        {
            OpType = row.Type,
            Domain = row.Domain,
            Attribute = { OnnxAttributes.From(row.Attributes).Select(static a => OnnxAttributeForm.Of(a.Key, a.Value)) },
        };
        for (int i = 0; i < row.Inputs.Length; i++)
        {
            string name = row.Inputs[i] is null ? "" : $"x{i}";
            node.Input.Add(name);
            if (row.Inputs[i] is not { } value)
                continue;
            inputs[name] = value;
            ValueInfoProto port = TinyModel.Port(name, [.. value.Shape.Select(static extent => (object)extent)]);
            port.Type.TensorType.ElemType = OnnxTensors.DataTypeOf(value.ElementType);
            // ONNX Runtime wants weights and zero points of quantised layers as constants.
            if (i > 0)
                model.Graph.Initializer.Add(OnnxTensors.Write(name, value));
            else
                model.Graph.Input.Add(port);
        }
        for (int i = 0; i < row.Outputs; i++)
        {
            node.Output.Add($"y{i}");
            model.Graph.Output.Add(new ValueInfoProto { Name = $"y{i}" });
        }
        model.Graph.Node.Add(node);

        Graph graph = model.Read();
        IReadOnlyDictionary<string, Tensor> ours = Interpreter.Run(graph, new Dictionary<string, Tensor> { ["x0"] = row.Inputs[0]! });
        using ISession session = OrtRuntime.Load(model.ToByteArray(), 1);
        IReadOnlyDictionary<string, Tensor> theirs = session.Run(new Dictionary<string, Tensor> { ["x0"] = row.Inputs[0]! });
        for (int i = 0; i < row.Outputs; i++)
            AssertClose(theirs[$"y{i}"], ours[$"y{i}"], $"{type} y{i}", row.Tolerance);
    }

    /// <summary>Integers are equal, or, where a rounding made them, one apart; other numbers agree up to the tolerance.</summary>
    private static void AssertClose(Tensor theirs, Tensor ours, string name, double tolerance)
    {
        bool rounded = theirs is Tensor<byte> or Tensor<sbyte> or Tensor<short>;
        if (!rounded || tolerance < 1)
        {
            Compare.Close(theirs, ours, name, theirs is Tensor<float> ? Math.Min(tolerance, 2e-5) : null);
            return;
        }
        Assert.Equal((theirs.ElementType, theirs.Shape), (ours.ElementType, ours.Shape));
        int[] one = theirs.To(ElementType.Int32).Of<int>().Values.ToArray(),
            other = ours.To(ElementType.Int32).Of<int>().Values.ToArray();
        Assert.All(one.Zip(other), static pair => Assert.InRange(pair.Second - pair.First, -1, 1));
        int apart = one.Zip(other).Count(static pair => pair.First != pair.Second);
        Assert.True(apart <= 1 + one.Length / 50, $"{name}: {apart} of {one.Length} integers differ by one.");
    }

    private static Tensor<float> Real(Shape shape, int seed, double size = 1)
    {
        Tensor<float> values = Some.Real<float>(shape, seed);
        foreach (ref float value in values.Values)
            value *= (float)size;
        return values;
    }

    private static Tensor<float> Positive(Shape shape, int seed)
    {
        Tensor<float> values = Some.Real<float>(shape, seed);
        foreach (ref float value in values.Values)
            value = 0.02f + Math.Abs(value);
        return values;
    }

    private static Tensor<byte> Bytes(Shape shape, int seed)
    {
        Tensor<byte> values = new(shape);
        new Random(seed).NextBytes(values.Values);
        return values;
    }

    private static Tensor<sbyte> Signed(Shape shape, int seed)
    {
        Random random = new(seed);
        return new(shape, Enumerable.Range(0, shape.ElementCount).Select(_ => (sbyte)random.Next(-64, 64)).ToArray());
    }

    private static Tensor<bool> Mask(Shape shape) =>
        new(shape, Enumerable.Range(0, shape.ElementCount).Select(i => i % 5 == 0 || i % 3 == 1).ToArray());

    private static Tensor<T> Zeros<T>(Shape shape)
        where T : unmanaged => new(shape);

    private static Tensor<float> One(float value, int rank = 0) => new(rank == 0 ? [] : [1], new[] { value });

    private static Tensor<long> Longs(Shape shape, params long[] values) => new(shape, values);

    private static System.Collections.Immutable.ImmutableArray<long> Ints(params long[] values) => [.. values];

    private static System.Collections.Immutable.ImmutableArray<float> Floats(params float[] values) => [.. values];
}
