using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// x to the power y, of the type of x. Integers raised to whole powers are exact (modulo their range); other pairs pass through float64.
/// </summary>
public sealed record Pow : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "X"),
            y = inputs.Numeric(1, "Y");
        return [new(x.Type, Broadcasting.Join(x.Shape, y.Shape))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor x = inputs[0]!,
            y = inputs[1]!,
            z = outputs[0];
        if (x is Tensor<float>)
            Real<float>(x, y, z, workers);
        else if (x is Tensor<double> || y.ElementType.IsFloating())
            Real<double>(x, y, z, workers);
        else
            Elementwise.Combine<T, T>(x.Of<T>(), y.To(x.ElementType).Of<T>(), z.Of<T>(), Whole, workers);
    }

    private static void Real<T>(Tensor x, Tensor y, Tensor z, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ElementType type = ElementTypes.Of<T>();
        Tensor<T> power = z as Tensor<T> ?? new(z.Shape);
        Elementwise.Combine(x.To(type).Of<T>(), y.To(type).Of<T>(), power, TensorPrimitives.Pow, workers);
        if (power != z)
            Conversion.Convert(power, z);
    }

    private static void Whole<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < x.Length; i++)
            z[i] = Whole(x[i], long.CreateSaturating(y[i]));
    }

    /// <summary>By squaring; a negative power of anything but ±1 rounds to 0.</summary>
    private static T Whole<T>(T x, long power)
        where T : INumber<T>
    {
        if (power < 0 && T.IsZero(x))
            throw new BadInputException("0 is raised to a negative power.");
        if (power < 0)
            return x == T.One || x == -T.One ? Whole(x, -(power % 2)) : T.Zero;
        T result = T.One;
        for (; power > 0; power >>= 1, x *= x)
            if ((power & 1) != 0)
                result *= x;
        return result;
    }

    internal override Reads? GradientReads(int input) => Reads.Input(0) | Reads.Input(1) | (input == 0 ? Reads.Nothing : Reads.Output());

    /// <summary>∂xʸ/∂x = y xʸ⁻¹, 0 where y is 0; ∂xʸ/∂y = xʸ ln x, 0 where x is 0.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Shape shape = pull.Dy.Shape;
        ReadOnlySpan<T> x = Broadcasting.Stretched(pull.Input(0), shape);
        ReadOnlySpan<T> y = Broadcasting.Stretched(pull.Inputs[1]!.To(ElementTypes.Of<T>()).Of<T>(), shape);
        Tensor<T> slopes = new(shape);
        Span<T> values = slopes.Values;
        if (pull.Gradient(0) is { } dx)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = T.IsZero(y[i]) ? T.Zero : y[i] * T.Pow(x[i], y[i] - T.One);
            dx.AddProduct(pull.Dy, slopes);
        }
        if (pull.Gradient(1) is { } power)
        {
            ReadOnlySpan<T> z = pull.Output().Values;
            for (int i = 0; i < values.Length; i++)
                values[i] = T.IsZero(x[i]) ? T.Zero : z[i] * T.Log(x[i]);
            power.AddProduct(pull.Dy, slopes);
        }
    }
}
