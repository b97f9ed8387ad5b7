using System.Collections.Immutable;
using FsCheck.Fluent;
using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

public class ConvolutionTests
{
    [Fact]
    public void A_convolution_is_its_definition_in_one_two_and_three_dimensions() =>
        Prop.ForAll<int>(static seed =>
            {
                (Convolution convolution, Tensor<double> x, Tensor<double> w) = Made(seed);
                Tensor<double> bias = Some.Whole<double>([w.Shape[0]], seed + 2),
                    y = convolution.Apply(x, w, bias)[0].Of<double>();
                for (int i = 0; i < y.Shape.ElementCount; i++)
                    Assert.Equal(Naive(convolution, x, w, bias, Some.Index(y.Shape, i)), y.Values[i]);
            })
            .Holds();

    /// <summary>⟨conv x, y⟩ = ⟨x, convᵀ y⟩ holds exactly for whole numbers, and shows that both agree on every attribute.</summary>
    [Fact]
    public void The_transposed_convolution_is_the_adjoint() =>
        Prop.ForAll<int>(static seed =>
            {
                (Convolution convolution, Tensor<double> x, Tensor<double> w) = Made(seed);
                ImmutableArray<WindowAxis> windows = convolution.Windows(x.Shape, w.Shape);
                ConvolutionTranspose transpose = new()
                {
                    Strides = convolution.Strides,
                    Dilations = convolution.Dilations,
                    Pads = convolution.Pads,
                    Groups = convolution.Groups,
                    OutputPadding =
                    [
                        .. windows.Select(static axis =>
                            (axis.Input + axis.Begin + axis.End - axis.Dilation * (axis.Taps - 1) - 1) % axis.Stride
                        ),
                    ],
                };
                Tensor<double> y = convolution.Apply(x, w)[0].Of<double>(),
                    g = Some.Whole<double>(y.Shape, seed + 3);
                Tensor<double> back = transpose.Apply(g, w)[0].Of<double>();
                Assert.Equal(x.Shape, back.Shape);
                Assert.Equal(Dot(y, g), Dot(x, back));
            })
            .Holds();

    [Theory]
    [
        InlineData(AutoPad.SameUpper, 5, 3, 2, 1, 3),
        InlineData(AutoPad.SameUpper, 6, 3, 2, 1, 3),
        InlineData(AutoPad.SameLower, 6, 4, 1, 1, 6)
    ]
    [InlineData(AutoPad.Valid, 6, 3, 2, 1, 2), InlineData(AutoPad.SameUpper, 9, 3, 1, 3, 9), InlineData(AutoPad.SameLower, 1, 1, 3, 1, 1)]
    public void Automatic_padding_makes_the_extents_it_promises(AutoPad pad, int input, int taps, int stride, int dilation, int output)
    {
        Convolution convolution = new()
        {
            AutoPad = pad,
            Strides = [stride],
            Dilations = [dilation],
        };
        WindowAxis axis = convolution.Windows([1, 1, input], [1, 1, taps])[0];
        Assert.Equal(output, axis.Output);
        int odd = (axis.Begin + axis.End) % 2;
        Assert.Equal(pad == AutoPad.SameLower ? odd : -odd, axis.Begin - axis.End);
    }

    [Fact]
    public void Multiply_accumulates_count_every_tap_of_every_output_value()
    {
        Convolution convolution = new()
        {
            Pads = [1, 1, 1, 1],
            Strides = [2, 2],
            Groups = 2,
        };
        ValueInfo x = new(ElementType.Float32, [3, 4, 9, 9]),
            w = new(ElementType.Float32, [6, 2, 3, 3]);
        Assert.Equal(3 * 6 * 5 * 5 * 2 * 9, convolution.Macs([x, w], [.. convolution.Infer([x, w])]));
    }

    [Theory]
    [
        InlineData("1,3,8,8", "4,2,3,3", 1, "3 channels"),
        InlineData("1,4,8,8", "4,2,3,3", 3, "3 groups"),
        InlineData("1,2,2,8", "4,2,3,3", 1, "does not fit")
    ]
    [InlineData("1,2,8", "4,2,3,3", 1, "3 axes"), InlineData("1,2", "4,2", 1, "spatial axis")]
    public void Extents_that_do_not_fit_are_named(string input, string weights, int groups, string part)
    {
        static ValueInfo Parse(string text) => new(ElementType.Float32, [.. text.Split(',').Select(int.Parse)]);
        ValueInfo[] operands = [Parse(input), Parse(weights)];
        ShapeException error = Assert.Throws<ShapeException>(() => new Convolution { Groups = groups }.Infer(operands));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private static (Convolution Convolution, Tensor<double> X, Tensor<double> W) Made(int seed)
    {
        Random random = new(seed);
        int axes = random.Next(1, 4),
            groups = random.Next(1, 3),
            channels = random.Next(1, 3),
            outputs = groups * random.Next(1, 3);
        int[] Draw(int from, int past) => [.. Enumerable.Range(0, axes).Select(_ => random.Next(from, past))];
        int[] taps = Draw(1, 4),
            dilations = Draw(1, 3),
            strides = Draw(1, 4),
            begins = Draw(0, 3),
            ends = Draw(0, 3);
        int[] least = [.. Enumerable.Range(0, axes).Select(axis => dilations[axis] * (taps[axis] - 1) + 1 - begins[axis] - ends[axis])];
        int[] extents = [.. least.Select(extent => Math.Max(1, extent) + random.Next(4))];
        Convolution convolution = new()
        {
            Groups = groups,
            Strides = [.. strides],
            Dilations = [.. dilations],
            Pads = [.. begins, .. ends],
        };
        return (
            convolution,
            Some.Whole<double>([2, channels * groups, .. extents], seed),
            Some.Whole<double>([outputs, channels, .. taps], seed + 1)
        );
    }

    private static double Naive(Convolution c, Tensor<double> x, Tensor<double> w, Tensor<double> bias, int[] output)
    {
        int channels = w.Shape[1],
            group = output[1] / (w.Shape[0] / c.Groups),
            axes = output.Length - 2;
        double sum = bias.Values[output[1]];
        for (int i = 0; i < w.Shape.ElementCountOf(1, w.Shape.Rank); i++)
        {
            int[] tap = Some.Index([1, .. w.Shape.Skip(1)], i),
                at = [output[0], group * channels + tap[1], .. new int[axes]];
            bool inside = true;
            for (int axis = 0; axis < axes; axis++)
            {
                int place = c.Strides[axis] * output[axis + 2] + c.Dilations[axis] * tap[axis + 2] - c.Pads[axis];
                at[axis + 2] = place;
                inside &= place >= 0 && place < x.Shape[axis + 2];
            }
            tap[0] = output[1];
            if (inside)
                sum += Some.At(x, at) * Some.At(w, tap);
        }
        return sum;
    }

    private static double Dot(Tensor<double> x, Tensor<double> y) =>
        x.Values.ToArray().Zip(y.Values.ToArray(), static (a, b) => a * b).Sum();
}
