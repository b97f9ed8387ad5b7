using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Functions of every value, on layouts whose halos differ.</summary>
public class BlockedElementwiseTests
{
    private static readonly BlockedLayout XLayout = new(2, 37, 5, 7, new(1, 1, 1, 1)),
        YLayout = XLayout with { Halo = new(0, 2, 3, 0) };

    private readonly BlockedValue _a = BlockedValue.Random(new(1), XLayout, float.NaN);
    private readonly BlockedValue _b = BlockedValue.Random(new(2), XLayout with { Halo = default });
    private readonly BlockedValue _y = BlockedValue.Blank(YLayout);
    private readonly Workers _workers = new TwoThreads();

    [Theory, CombinatorialArithmetic]
    public void Binary_functions_combine_values(object function, bool activated)
    {
        BinaryFunction operation = (BinaryFunction)function;
        Activation activation = activated ? Activation.Relu : Activation.None;
        BlockedElementwise.Binary(operation, _a.Values, _a.Layout, _b.Values, _b.Layout, activation, _y.Values, YLayout, _workers);
        _y.Equal(
            (i, c, y, x) =>
                ActivationFormula.Of(
                    activation,
                    operation switch
                    {
                        BinaryFunction.Add => _a[i, c, y, x] + _b[i, c, y, x],
                        BinaryFunction.Subtract => _a[i, c, y, x] - _b[i, c, y, x],
                        BinaryFunction.Multiply => _a[i, c, y, x] * _b[i, c, y, x],
                        _ => _a[i, c, y, x] / _b[i, c, y, x],
                    }
                ),
            1e-6
        );
    }

    [Theory, MemberData(nameof(BlockedConvolutionTests.Activations), MemberType = typeof(BlockedConvolutionTests))]
    public void Activations_apply_to_every_value(object function)
    {
        Activation activation = (Activation)function;
        BlockedElementwise.Activate(activation, _a.Values, XLayout, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => ActivationFormula.Of(activation, _a[i, c, y, x]), 1e-6);

        float[] before = [.. _a.Values];
        BlockedElementwise.Activate(activation, _a.Values, XLayout, _a.Values, XLayout, Workers.Serial);
        _y.Equal((i, c, y, x) => _a[i, c, y, x], 0);
        Assert.Equal(before.Count(float.IsNaN), _a.Values.Count(float.IsNaN));
    }

    /// <summary>Where half of the lanes, or three quarters, hold no channel; rows that are no whole number of what is taken at once.</summary>
    [Theory]
    [InlineData(1), InlineData(3), InlineData(4), InlineData(5), InlineData(8), InlineData(9), InlineData(20)]
    public void Functions_of_few_channels_are_those_of_many(int channels)
    {
        BlockedLayout layout = new(2, channels, 3, 83, new(1, 0, 1, 1)),
            other = layout with { Halo = default };
        BlockedValue from = BlockedValue.Random(new(channels), layout, float.NaN),
            to = BlockedValue.Blank(other);
        foreach (Activation activation in (Activation[])[Activation.Sigmoid, Activation.Silu, Activation.Tanh, Activation.HardSwish])
        {
            BlockedElementwise.Activate(activation, from.Values, layout, to.Values, other, _workers);
            to.Equal((i, c, y, x) => ActivationFormula.Of(activation, from[i, c, y, x]), 1e-6);
        }
    }

    [Fact]
    public void Batch_normalisation_scales_and_shifts_channels()
    {
        float[] scale = Values(37, 3),
            shift = Values(37, 4);
        BlockedElementwise.ScaleShift(_a.Values, XLayout, scale, shift, Activation.Relu, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => Math.Max(scale[c] * _a[i, c, y, x] + shift[c], 0), 1e-6);

        BlockedElementwise.ScaleShift(_a.Values, XLayout, [], shift, Activation.None, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => _a[i, c, y, x] + shift[c], 1e-6);
    }

    [Fact]
    public void Excitation_scales_the_channels_of_an_image()
    {
        float[] plain = Values(2 * 37, 5);
        BlockedElementwise.ScaleImages(_a.Values, XLayout, plain, Activation.None, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => plain[i * 37 + c] * _a[i, c, y, x], 1e-6);

        BlockedValue pixel = BlockedValue.Random(new(6), new(2, 37, 1, 1, new(1, 1, 1, 1)));
        BlockedElementwise.ScaleImages(_a.Values, XLayout, pixel.Values, pixel.Layout, Activation.None, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => pixel[i, c, 0, 0] * _a[i, c, y, x], 1e-6);
    }

    [Theory, InlineData(1), InlineData(37)]
    public void PRelu_has_slopes(int count)
    {
        float[] slopes = Values(count, 7);
        BlockedElementwise.PRelu(_a.Values, XLayout, slopes, _y.Values, YLayout, _workers);
        _y.Equal((i, c, y, x) => _a[i, c, y, x] is var value && value < 0 ? slopes[count == 1 ? 0 : c] * value : value, 1e-6);
    }

    [Fact]
    public unsafe void Every_width_scales_and_leaks_alike()
    {
        float[] x = Values(48, 8),
            scale = Values(16, 9),
            shift = Values(16, 10),
            y = new float[48];
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
            fixed (
                float* from = x,
                    a = scale,
                    b = shift,
                    to = y
            )
            {
                using Bounds.Scope known = Bounds.Know(from, x.Length, a, scale.Length, b, shift.Length, to, y.Length);
                ChannelRows.ScaleShift(width, from, a, b, to, 3);
                for (int i = 0; i < y.Length; i++)
                    Assert.Equal(scale[i % 16] * x[i] + shift[i % 16], y[i], 1e-6);
                ChannelRows.Leak(width, from, a, to, 3);
                for (int i = 0; i < y.Length; i++)
                    Assert.Equal(x[i] < 0 ? scale[i % 16] * x[i] : x[i], y[i], 1e-6);
            }
    }

    [Fact]
    public void Extents_that_differ_are_refused() =>
        Assert.Throws<ArgumentException>(() =>
            BlockedElementwise.Activate(Activation.Relu, _a.Values, XLayout, _y.Values, YLayout with { Height = 4 }, _workers)
        );

    private static float[] Values(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    /// <summary>Every operation with and without an activation.</summary>
    private sealed class CombinatorialArithmeticAttribute : Xunit.Sdk.DataAttribute
    {
        public override IEnumerable<object[]> GetData(System.Reflection.MethodInfo testMethod) =>
            from operation in Enum.GetValues<BinaryFunction>()
            from activated in new[] { false, true }
            select new object[] { operation, activated };
    }
}
