using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The one-dimensional transforms of F(m, 3): m outputs of a three-tap filter from a tile of m + 2 inputs by m + 2 products,
/// y = Aᵀ((G g) ∘ (Bᵀ d)) (A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016). Applied to columns, then to
/// rows.
/// </summary>
internal unsafe interface IWinograd
{
    /// <summary>m.</summary>
    static abstract int Outputs { get; }

    /// <summary>m + 2.</summary>
    static abstract int Tile { get; }

    /// <summary>The points at which the polynomials are evaluated, but for the one at infinity.</summary>
    static abstract ReadOnlySpan<double> Points { get; }

    /// <summary>to = Bᵀ from, of vectors that lie a step apart.</summary>
    static abstract void Input<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct;

    /// <summary>to = Aᵀ from.</summary>
    static abstract void Output<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct;

    /// <summary>
    /// Aᵀ from + bias + residual between two bounds, as pixels that follow one another in the blocked layout, like those of the residual.
    /// </summary>
    /// <param name="residual">Null where there is none. May be where the pixels go.</param>
    static abstract void Finish<TWidth, TVector>(
        float* from,
        int fromStep,
        TVector bias,
        float* residual,
        TVector low,
        TVector high,
        float* to
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct;

    /// <summary>to = A from: the way back.</summary>
    static abstract void Upstream<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct;
}

/// <summary>F(2, 3) at the points 0, 1, -1 and infinity: no multiplications in the transforms of input and output.</summary>
internal readonly unsafe struct Winograd2 : IWinograd
{
    public static int Outputs => 2;

    public static int Tile => 4;

    public static ReadOnlySpan<double> Points => [0, 1, -1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector d0 = TWidth.Load(from),
            d1 = TWidth.Load(from + fromStep),
            d2 = TWidth.Load(from + 2 * fromStep),
            d3 = TWidth.Load(from + 3 * fromStep);
        TWidth.Store(TWidth.Subtract(d2, d0), to);
        TWidth.Store(TWidth.Add(d2, d1), to + toStep);
        TWidth.Store(TWidth.Subtract(d2, d1), to + 2 * toStep);
        TWidth.Store(TWidth.Subtract(d3, d1), to + 3 * toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector m0 = TWidth.Load(from),
            m1 = TWidth.Load(from + fromStep),
            m2 = TWidth.Load(from + 2 * fromStep),
            m3 = TWidth.Load(from + 3 * fromStep);
        TWidth.Store(TWidth.Add(m0, TWidth.Add(m1, m2)), to);
        TWidth.Store(TWidth.Add(m3, TWidth.Subtract(m1, m2)), to + toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<TWidth, TVector>(
        float* from,
        int fromStep,
        TVector bias,
        float* residual,
        TVector low,
        TVector high,
        float* to
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector m0 = TWidth.Load(from),
            m1 = TWidth.Load(from + fromStep),
            m2 = TWidth.Load(from + 2 * fromStep),
            m3 = TWidth.Load(from + 3 * fromStep);
        TVector y0 = TWidth.Add(bias, TWidth.Add(m0, TWidth.Add(m1, m2))),
            y1 = TWidth.Add(bias, TWidth.Add(m3, TWidth.Subtract(m1, m2)));
        if (residual != null)
        {
            y0 = TWidth.Add(y0, TWidth.Load(residual));
            y1 = TWidth.Add(y1, TWidth.Load(residual + BlockedLayout.ChannelBlock));
        }
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y0)), to);
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y1)), to + BlockedLayout.ChannelBlock);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Upstream<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector e0 = TWidth.Load(from),
            e1 = TWidth.Load(from + fromStep);
        TWidth.Store(e0, to);
        TWidth.Store(TWidth.Add(e0, e1), to + toStep);
        TWidth.Store(TWidth.Subtract(e0, e1), to + 2 * toStep);
        TWidth.Store(e1, to + 3 * toStep);
    }
}

/// <summary>
/// F(4, 3) at the points 0, ±a, ±b and infinity. With a = 1/√2 and b = √2 the numbers in the transforms stay nearest to each other.
/// </summary>
internal readonly unsafe struct Winograd4 : IWinograd
{
    private const double A = 0.70710678118654752,
        B = 1.4142135623730951;

    private const float A1 = (float)A,
        A2 = (float)(A * A),
        A3 = (float)(A * A * A),
        B1 = (float)B,
        B2 = (float)(B * B),
        B3 = (float)(B * B * B);

    private const float Product = (float)(A * A * B * B),
        Sum = (float)(A * A + B * B);

    public static int Outputs => 4;

    public static int Tile => 6;

    public static ReadOnlySpan<double> Points => [0, A, -A, B, -B];

    /// <summary>
    /// Row i of Bᵀ holds the coefficients of Π (x - p) over the other points: x⁴ - (a² + b²) x² + a² b² for 0, and so on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector d0 = TWidth.Load(from),
            d1 = TWidth.Load(from + fromStep),
            d2 = TWidth.Load(from + 2 * fromStep);
        TVector d3 = TWidth.Load(from + 3 * fromStep),
            d4 = TWidth.Load(from + 4 * fromStep),
            d5 = TWidth.Load(from + 5 * fromStep);
        TVector product = TWidth.Broadcast(Product),
            sum = TWidth.Broadcast(-Sum),
            a2 = TWidth.Broadcast(-A2),
            b2 = TWidth.Broadcast(-B2);
        TVector even = TWidth.MultiplyAdd(d2, b2, d4),
            odd = TWidth.MultiplyAdd(d1, b2, d3);
        TWidth.Store(TWidth.MultiplyAdd(d0, product, TWidth.MultiplyAdd(d2, sum, d4)), to);
        TWidth.Store(TWidth.MultiplyAdd(odd, TWidth.Broadcast(A1), even), to + toStep);
        TWidth.Store(TWidth.MultiplyAdd(odd, TWidth.Broadcast(-A1), even), to + 2 * toStep);
        even = TWidth.MultiplyAdd(d2, a2, d4);
        odd = TWidth.MultiplyAdd(d1, a2, d3);
        TWidth.Store(TWidth.MultiplyAdd(odd, TWidth.Broadcast(B1), even), to + 3 * toStep);
        TWidth.Store(TWidth.MultiplyAdd(odd, TWidth.Broadcast(-B1), even), to + 4 * toStep);
        TWidth.Store(TWidth.MultiplyAdd(d1, product, TWidth.MultiplyAdd(d3, sum, d5)), to + 5 * toStep);
    }

    /// <summary>Row k of Aᵀ holds the points' k-th powers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector m0 = TWidth.Load(from),
            m1 = TWidth.Load(from + fromStep),
            m2 = TWidth.Load(from + 2 * fromStep);
        TVector m3 = TWidth.Load(from + 3 * fromStep),
            m4 = TWidth.Load(from + 4 * fromStep),
            m5 = TWidth.Load(from + 5 * fromStep);
        TVector evenA = TWidth.Add(m1, m2),
            oddA = TWidth.Subtract(m1, m2),
            evenB = TWidth.Add(m3, m4),
            oddB = TWidth.Subtract(m3, m4);
        TWidth.Store(TWidth.Add(m0, TWidth.Add(evenA, evenB)), to);
        TWidth.Store(TWidth.MultiplyAdd(oddB, TWidth.Broadcast(B1), TWidth.Multiply(oddA, TWidth.Broadcast(A1))), to + toStep);
        TWidth.Store(TWidth.MultiplyAdd(evenB, TWidth.Broadcast(B2), TWidth.Multiply(evenA, TWidth.Broadcast(A2))), to + 2 * toStep);
        TWidth.Store(TWidth.MultiplyAdd(oddB, TWidth.Broadcast(B3), TWidth.MultiplyAdd(oddA, TWidth.Broadcast(A3), m5)), to + 3 * toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<TWidth, TVector>(
        float* from,
        int fromStep,
        TVector bias,
        float* residual,
        TVector low,
        TVector high,
        float* to
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector m0 = TWidth.Add(bias, TWidth.Load(from)),
            m1 = TWidth.Load(from + fromStep),
            m2 = TWidth.Load(from + 2 * fromStep);
        TVector m3 = TWidth.Load(from + 3 * fromStep),
            m4 = TWidth.Load(from + 4 * fromStep),
            m5 = TWidth.Add(bias, TWidth.Load(from + 5 * fromStep));
        TVector evenA = TWidth.Add(m1, m2),
            oddA = TWidth.Subtract(m1, m2),
            evenB = TWidth.Add(m3, m4),
            oddB = TWidth.Subtract(m3, m4);
        TVector y0 = TWidth.Add(m0, TWidth.Add(evenA, evenB)),
            y1 = TWidth.MultiplyAdd(oddB, TWidth.Broadcast(B1), TWidth.MultiplyAdd(oddA, TWidth.Broadcast(A1), bias)),
            y2 = TWidth.MultiplyAdd(evenB, TWidth.Broadcast(B2), TWidth.MultiplyAdd(evenA, TWidth.Broadcast(A2), bias)),
            y3 = TWidth.MultiplyAdd(oddB, TWidth.Broadcast(B3), TWidth.MultiplyAdd(oddA, TWidth.Broadcast(A3), m5));
        if (residual != null)
        {
            y0 = TWidth.Add(y0, TWidth.Load(residual));
            y1 = TWidth.Add(y1, TWidth.Load(residual + BlockedLayout.ChannelBlock));
            y2 = TWidth.Add(y2, TWidth.Load(residual + 2 * BlockedLayout.ChannelBlock));
            y3 = TWidth.Add(y3, TWidth.Load(residual + 3 * BlockedLayout.ChannelBlock));
        }
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y0)), to);
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y1)), to + BlockedLayout.ChannelBlock);
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y2)), to + 2 * BlockedLayout.ChannelBlock);
        TWidth.Store(TWidth.AtMost(high, TWidth.AtLeast(low, y3)), to + 3 * BlockedLayout.ChannelBlock);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Upstream<TWidth, TVector>(float* from, int fromStep, float* to, int toStep)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
    {
        TVector e0 = TWidth.Load(from),
            e1 = TWidth.Load(from + fromStep),
            e2 = TWidth.Load(from + 2 * fromStep),
            e3 = TWidth.Load(from + 3 * fromStep);
        TWidth.Store(e0, to);
        TVector even = TWidth.MultiplyAdd(e2, TWidth.Broadcast(A2), e0),
            odd = TWidth.MultiplyAdd(e3, TWidth.Broadcast(A3), TWidth.Multiply(e1, TWidth.Broadcast(A1)));
        TWidth.Store(TWidth.Add(even, odd), to + toStep);
        TWidth.Store(TWidth.Subtract(even, odd), to + 2 * toStep);
        even = TWidth.MultiplyAdd(e2, TWidth.Broadcast(B2), e0);
        odd = TWidth.MultiplyAdd(e3, TWidth.Broadcast(B3), TWidth.Multiply(e1, TWidth.Broadcast(B1)));
        TWidth.Store(TWidth.Add(even, odd), to + 3 * toStep);
        TWidth.Store(TWidth.Subtract(even, odd), to + 4 * toStep);
        TWidth.Store(e3, to + 5 * toStep);
    }
}
