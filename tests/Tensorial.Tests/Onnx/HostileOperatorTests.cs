using System.Collections.Immutable;
using FsCheck.Fluent;
using Tensorial.Onnx;
using Tensorial.Operations;
using Tensorial.Tests.Operations;

namespace Tensorial.Tests.Onnx;

/// <summary>Nodes with nonsense for attributes and inputs: they are refused in words, or computed, and nothing else happens.</summary>
public class HostileOperatorTests
{
    private const int LargestComputed = 1 << 16;

    private static readonly (string Name, Func<Random, object> Value)[] Attributes =
    [
        ("axis", Number),
        ("axes", Numbers),
        ("perm", Numbers),
        ("pads", Numbers),
        ("strides", Numbers),
        ("dilations", Numbers),
        ("kernel_shape", Numbers),
        ("output_padding", Numbers),
        ("output_shape", Numbers),
        ("starts", Numbers),
        ("ends", Numbers),
        ("split", Numbers),
        ("group", Number),
        ("blocksize", Number),
        ("to", Number),
        ("keepdims", Number),
        ("num_outputs", Number),
        ("size", Number),
        ("p", Number),
        ("ceil_mode", Number),
        ("allowzero", Number),
        ("start", Number),
        ("end", Number),
        ("noop_with_empty_axes", Number),
        ("alpha", Real),
        ("beta", Real),
        ("epsilon", Real),
        ("transA", Number),
        ("transB", Number),
        ("mode", static random => Pick(random, "nearest", "linear", "cubic", "reflect", "edge", "wrap", "DCR", "CRD")),
        ("auto_pad", static random => Pick(random, "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET")),
        ("scales", static random => Reals(random)),
        ("equation", static random => Pick(random, "ij,jk", "...a,a...->...", "ii->i", "->", "abc,cd,de->ae")),
        ("value", Value),
        (
            "coordinate_transformation_mode",
            static random => Pick(random, "align_corners", "asymmetric", "tf_crop_and_resize", "pytorch_half_pixel")
        ),
    ];

    public static TheoryData<string> Types() => [.. OnnxOperators.All.Select(static row => row.Type).Distinct()];

    [Theory]
    [MemberData(nameof(Types))]
    public void An_operator_answers_or_refuses(string type) => Prop.ForAll<int>(seed => Try(type, seed)).Holds();

    /// <summary>Cases that once got another exception through.</summary>
    [Theory]
    [InlineData("ReduceProd", 26)]
    public void What_failed_once_answers_or_refuses(string type, int seed) => Try(type, seed);

    private static void Try(string type, int seed)
    {
        Random random = new(seed);
        try
        {
            int opset = random.Next(OnnxOperators.OldestOpset, OnnxOperators.NewestOpset + 1);
            var drawn = Attributes.Where(_ => random.Next(3) == 0).ToDictionary(static a => a.Name, a => a.Value(random));
            Operation operation = OnnxOperators.Bind("", type, opset, new(drawn), random.Next(1, 4));
            Tensor?[] inputs = [.. Enumerable.Range(0, random.Next(6)).Select(_ => Input(random))];
            ImmutableArray<ValueInfo> results = operation.Infer([
                .. inputs.Select(static input => input is null ? null : ValueInfo.From(input)),
            ]);
            if (results.Sum(static result => (long)result.Shape.ElementCount) > LargestComputed)
                return;
            operation.Apply(inputs);
        }
        catch (BadInputException refused)
        {
            Assert.NotEmpty(refused.Message);
        }
    }

    private static Tensor? Input(Random random) =>
        random.Next(12) switch
        {
            0 => null,
            1 => Some.Whole<int>(Some.Shape(random), random.Next()),
            2 => Some.Whole<sbyte>(Some.Shape(random), random.Next()).To(ElementType.Bool),
            3 => Some.Real<Half>(Some.Shape(random), random.Next()),
            4 => new Tensor<long>([2], new[] { long.MaxValue, long.MinValue }),
            5 or 6 => Some.Whole<long>([random.Next(4)], random.Next()),
            7 => Some.Real<float>([2, 0, 3], 1),
            _ => Some.Real<float>(Some.Shape(random), random.Next()),
        };

    private static object Value(Random random) => random.Next(2) == 0 ? Real(random) : Input(random) ?? new Tensor<float>([]);

    private static object Number(Random random) =>
        random.Next(8) switch
        {
            0 => long.MaxValue,
            1 => long.MinValue,
            2 => (long)int.MaxValue,
            _ => (long)random.Next(-3, 6),
        };

    private static object Numbers(Random random) =>
        Enumerable.Range(0, random.Next(7)).Select(_ => (long)Number(random)).ToImmutableArray();

    private static object Reals(Random random) =>
        Enumerable.Range(0, random.Next(5)).Select(_ => 3 * random.NextSingle()).ToImmutableArray();

    private static object Real(Random random) => (float)random.NextDouble();

    private static string Pick(Random random, params string[] texts) => texts[random.Next(texts.Length)];
}
