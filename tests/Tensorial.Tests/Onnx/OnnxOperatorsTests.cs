using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Onnx;
using Tensorial.Operations;

namespace Tensorial.Tests.Onnx;

public class OnnxOperatorsTests
{
    /// <summary>The operators of the usual vision networks; none may disappear from the table.</summary>
    private static readonly string[] Promised =
    [
        "Conv",
        "ConvTranspose",
        "Gemm",
        "MatMul",
        "BatchNormalization",
        "MaxPool",
        "AveragePool",
        "LpPool",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GlobalLpPool",
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Clip",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Tanh",
        "Softmax",
        "LogSoftmax",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Pow",
        "Min",
        "Max",
        "Sum",
        "Mean",
        "Concat",
        "Split",
        "Slice",
        "Pad",
        "Flatten",
        "Reshape",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Gather",
        "Shape",
        "Constant",
        "Cast",
        "ReduceMean",
        "Resize",
        "LRN",
        "Dropout",
        "Identity",
        "InstanceNormalization",
        "Einsum",
    ];

    /// <summary>Records as a rewriting would make them, and the operator sets that can say them.</summary>
    private static readonly (Operation Operation, int Since)[] Made =
    [
        (
            new Convolution
            {
                KernelShape = [3, 3],
                Strides = [2, 1],
                Dilations = [1, 2],
                Pads = [1, 0, 2, 3],
                Groups = 4,
            },
            7
        ),
        (new Convolution { AutoPad = AutoPad.SameLower }, 7),
        (
            new ConvolutionTranspose
            {
                Strides = [2],
                OutputPadding = [1],
                Groups = 3,
            },
            7
        ),
        (
            new Gemm
            {
                Alpha = 0.5f,
                Beta = 2,
                TransposeB = true,
            },
            7
        ),
        (new MatMul(), 7),
        (new Add(), 7),
        (new Mul(), 7),
        (new Relu(), 7),
        (new EinsumOf(Equation.Parse("...ij,jk->...ik")), 12),
        (new BatchNormalization { Epsilon = 0.125f }, 7),
        (
            new MaxPool
            {
                KernelShape = [2, 2],
                CeilMode = true,
                ColumnMajor = true,
            },
            7
        ),
        (new AveragePool { KernelShape = [2], CountIncludePad = true }, 7),
        (new LpPool(3) { KernelShape = [2] }, 7),
        (new GlobalAveragePool(), 7),
        (new GlobalMaxPool(), 7),
        (new GlobalLpPool(3), 7),
        (new InstanceNormalization { Epsilon = 0.25f }, 7),
        (new LayerNormalization(1), 17),
        (new Lrn(5) { Alpha = 2 }, 7),
        (new LeakyRelu(0.5f), 7),
        (new Elu(0.5f), 7),
        (new Selu(2, 3), 7),
        (new HardSigmoid(0.5f, 0.25f), 7),
        (new HardSwish(), 14),
        (new Gelu(true), 20),
        (new Clip(0, 6), 7),
        (new Clip(Max: 3), 7),
        (new Softmax(), 7),
        (new LogSoftmax(), 7),
        (new Dropout(), 7),
        (new ReduceMean { Axes = [2, 3], KeepDims = false }, 7),
        (new ReduceSum { Axes = [-1] }, 7),
        (new Constant(new Tensor<float>([2], new float[] { 1, 2 })), 7),
        (new Cast(ElementType.Float16), 7),
        (new Concat(1), 7),
        (new Flatten(2), 7),
        (new Gather(1), 7),
        (new Transpose([0, 2, 1]), 7),
        (new ShapeOf(), 7),
        (new ShapeOf(1, -1), 15),
        (new Identity(), 7),
        (new Reshape { Extents = [0, -1] }, 7),
        (new Reshape { Extents = [0, 2], AllowZero = true }, 14),
        (new Expand { Extents = [2, 3] }, 8),
        (new Tile { Repeats = [2, 1] }, 7),
        (new Squeeze { Axes = [1] }, 7),
        (new Unsqueeze { Axes = [0, 2] }, 7),
        (
            new Slice
            {
                Starts = [1],
                Ends = [int.MaxValue],
                Axes = [2],
            },
            7
        ),
        (
            new Slice
            {
                Starts = [-1],
                Ends = [0],
                Axes = [2],
                Steps = [-2],
            },
            10
        ),
        (new Split(2, 1) { Sizes = [3, 5] }, 7),
        (new Split(3, 1), 7),
        (new Pad { Pads = [0, 1, 2, 3], Value = 0.5f }, 7),
        (new Pad { Pads = [1, 1], Mode = PadMode.Wrap }, 19),
    ];

    public static TheoryData<int> Rows() => [.. Enumerable.Range(0, Made.Length)];

    /// <summary>Written and bound again, attributes and constant inputs together say what the record said.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void What_is_written_is_read_as_the_same(int row)
    {
        (Operation operation, int since) = Made[row];
        for (int opset = OnnxOperators.OldestOpset; opset <= OnnxOperators.NewestOpset; opset++)
        {
            if (opset < since)
            {
                Assert.Throws<UnsupportedException>(() => OnnxOperators.Write(operation, opset));
                continue;
            }
            OnnxForm form = OnnxOperators.Write(operation, opset);
            Operation read = OnnxOperators.Bind("", form.Type, opset, form.Attributes, operation is Split split ? split.Parts : 1);
            Assert.IsType(operation.GetType(), read);
            // What became inputs is put back where the record has it.
            OnnxForm again = OnnxOperators.Write(read, opset);
            // Without the sizes that became an input, a split of operator set 18 counts its parts.
            Assert.Equal(
                Listed(form.Attributes),
                Listed(again.Attributes).Where(text => !text.StartsWith("num_outputs", StringComparison.Ordinal) || form.Inputs.IsEmpty)
            );
            Assert.All(again.Inputs, static input => Assert.Null(input));
        }
    }

    [Fact]
    public void Attributes_become_inputs_in_the_operator_set_that_moved_them()
    {
        Clip clip = new(0, 6);
        Assert.Empty(OnnxOperators.Write(clip, 10).Inputs);
        Assert.Equal(6, OnnxOperators.Write(clip, 11).Inputs[1]!.Of<float>().Values[0]);
        Assert.Equal((Half)6, OnnxOperators.Write(clip, 13, ElementType.Float16).Inputs[1]!.Of<Half>().Values[0]);
        Assert.Equal([3L, 5], OnnxOperators.Write(new Split(2) { Sizes = [3, 5] }, 13).Inputs[0]!.Of<long>().Values);
        Assert.Equal(2, OnnxOperators.Write(new Split(2), 18).Attributes.Integer("num_outputs"));
        Assert.Equal([1L], OnnxOperators.Write(new ReduceMean { Axes = [1] }, 18).Inputs[0]!.Of<long>().Values);
        Assert.Null(OnnxOperators.Write(new Clip(Max: 6), 11).Inputs[0]);
    }

    [Fact]
    public void A_softmax_over_several_axes_belongs_to_the_old_operator_sets()
    {
        Assert.Equal(new Softmax(1, Flattened: true), OnnxOperators.Bind("", "Softmax", 12, OnnxAttributes.None));
        Assert.Equal(new Softmax(-1), OnnxOperators.Bind("", "Softmax", 13, OnnxAttributes.None));
        Assert.Throws<UnsupportedException>(() => OnnxOperators.Write(new Softmax(1, Flattened: true), 13));
        Assert.Throws<UnsupportedException>(() => OnnxOperators.Write(new Softmax(1), 12));
    }

    [Fact]
    public void The_operators_of_vision_networks_are_all_there() =>
        Assert.Empty(Promised.Except(from row in OnnxOperators.All where row.Until == OnnxOperators.NewestOpset select row.Type));

    [Fact]
    public void The_rows_of_an_operator_follow_each_other()
    {
        foreach (IGrouping<(string, string), OnnxOperator> rows in OnnxOperators.All.GroupBy(static row => (row.Domain, row.Type)))
            Assert.All(rows.Zip(rows.Skip(1)), static pair => Assert.Equal(pair.First.Until + 1, pair.Second.Since));
    }

    [Theory]
    [
        InlineData("com.example", "Conv", 1, "domain 'com.example'"),
        InlineData("com.microsoft", "BiasSplitGelu", 1, "not supported"),
        InlineData("", "StringSplit", 20, "not supported")
    ]
    [
        InlineData("", "Relu", 6, "7 to 25"),
        InlineData("", "Relu", 26, "7 to 25"),
        InlineData("", "Mish", 17, "18 to 25"),
        InlineData("", "Upsample", 10, "7 to 8 and 9 to 9")
    ]
    public void What_we_lack_is_unknown_with_the_reason(string domain, string type, int opset, string part)
    {
        Unknown unknown = Assert.IsType<Unknown>(OnnxOperators.Bind(domain, type, opset, OnnxAttributes.None));
        Assert.Contains(part, unknown.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Variants_we_lack_are_unknown_with_the_reason()
    {
        Assert.Contains("training", Reason("BatchNormalization", 15, OnnxAttributes.From(("training_mode", 1))), StringComparison.Ordinal);
        Assert.Contains("antialias", Reason("Resize", 18, OnnxAttributes.From(("antialias", 1))), StringComparison.Ordinal);
        Assert.Contains("data type 8", Reason("Cast", 13, OnnxAttributes.From(("to", 8))), StringComparison.Ordinal);
    }

    [Theory]
    [
        InlineData("Conv", "strides"),
        InlineData("Concat", "axis"),
        InlineData("LeakyRelu", "alpha"),
        InlineData("Conv", "auto_pad"),
        InlineData("Pad", "mode"),
        InlineData("Einsum", "equation")
    ]
    public void A_malformed_attribute_is_named(string type, string attribute)
    {
        BadInputException error = Assert.Throws<BadInputException>(() =>
            OnnxOperators.Bind("", type, 13, OnnxAttributes.From((attribute, new Tensor<float>([1]))))
        );
        Assert.Contains($"'{attribute}'", error.Message, StringComparison.Ordinal);
        Assert.IsNotType<UnsupportedException>(error);
    }

    [Theory]
    [InlineData("nx,kx->nkx|x"), InlineData("a1,a1->"), InlineData("i(in),(in)k->ik")]
    public void Equations_that_only_we_know_are_refused(string equation) =>
        Assert.Contains(
            "no equation of ONNX",
            Assert
                .Throws<BadInputException>(() => OnnxOperators.Bind("", "Einsum", 13, OnnxAttributes.From(("equation", equation))))
                .Message
        );

    [Fact]
    public void A_choice_that_does_not_exist_is_answered_with_those_that_do()
    {
        OnnxAttributes attributes = OnnxAttributes.From(("auto_pad", "SAME"));
        BadInputException error = Assert.Throws<BadInputException>(() => OnnxOperators.Bind("", "Conv", 13, attributes));
        Assert.Contains("NOTSET, VALID, SAME_UPPER, SAME_LOWER", error.Message, StringComparison.Ordinal);
    }

    /// <summary>docs/operators.md is the table of the code; where they differ the test says what the page should read.</summary>
    [Fact]
    public void The_page_of_operators_is_up_to_date()
    {
        string rows = string.Concat(
            from row in OnnxOperators.All
            group row by (row.Domain, row.Type) into own
            let name = own.Key.Domain.Length > 0 ? $"{own.Key.Domain}.{own.Key.Type}" : own.Key.Type
            select $"| {name} | {Spans(own)} | {(own.Any(Trains) ? "yes" : "")} |\n"
        );
        string table = $"| operator | operator sets | trains |\n|---|---|---|\n{rows}",
            path = Path.Combine(Oracles.Repository, "docs", "operators.md");
        bool upToDate = File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n").Contains(table, StringComparison.Ordinal);
        Assert.True(upToDate, $"The table in docs/operators.md should read:\n{table}");
    }

    /// <summary>Whether an operand has a gradient. Attributes that an operator insists on have any value that it takes.</summary>
    private static bool Trains(OnnxOperator row)
    {
        OnnxAttributes attributes = OnnxAttributes.From(
            ("axis", 0),
            ("blocksize", 1),
            ("to", 1),
            ("size", 1),
            ("num_groups", 1),
            ("linear_before_reset", 1),
            ("k", 1),
            ("equation", row.Type == "Einsum" ? "i->i" : null),
            ("value", row.Type.StartsWith("Constant", StringComparison.Ordinal) ? new Tensor<float>([1]) : null),
            ("direction", row.Type == "BitShift" ? "LEFT" : null)
        );
        try
        {
            Operation operation = row.Bind(attributes, 1);
            return Enumerable.Range(0, 8).Any(input => operation.GradientReads(input) is not null);
        }
        catch (BadInputException missingBody)
        {
            Assert.Contains("is missing", missingBody.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static string Spans(IEnumerable<OnnxOperator> rows) =>
        string.Join(
            ", ",
            rows.Select(static row =>
                row.Since == row.Until ? $"{row.Since}"
                : row.Until == int.MaxValue ? $"{row.Since}–"
                : $"{row.Since}–{row.Until}"
            )
        );

    private static string Reason(string type, int opset, OnnxAttributes attributes) =>
        Assert.IsType<Unknown>(OnnxOperators.Bind("", type, opset, attributes)).Reason;

    private static IEnumerable<string> Listed(OnnxAttributes attributes) =>
        attributes.Select(static pair =>
            $"{pair.Key} = {pair.Value switch { ImmutableArray<long> list => string.Join(' ', list), var value => value }}"
        );
}
