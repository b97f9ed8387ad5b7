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
    static abstract void Input<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct;

    /// <summary>to = Aᵀ from.</summary>
    static abstract void Output<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct;

    /// <summary>to = A from: the way back.</summary>
    static abstract void Upstream<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct;
}

/// <summary>F(2, 3) at the points 0, 1, -1 and infinity: no multiplications in the transforms of input and output.</summary>
internal readonly unsafe struct Winograd2 : IWinograd
{
    public static int Outputs => 2;

    public static int Tile => 4;

    public static ReadOnlySpan<double> Points => [0, 1, -1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector d0 = TLanes.Load(from),
            d1 = TLanes.Load(from + fromStep),
            d2 = TLanes.Load(from + 2 * fromStep),
            d3 = TLanes.Load(from + 3 * fromStep);
        TLanes.Store(TLanes.Subtract(d2, d0), to);
        TLanes.Store(TLanes.Add(d2, d1), to + toStep);
        TLanes.Store(TLanes.Subtract(d2, d1), to + 2 * toStep);
        TLanes.Store(TLanes.Subtract(d3, d1), to + 3 * toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector m0 = TLanes.Load(from),
            m1 = TLanes.Load(from + fromStep),
            m2 = TLanes.Load(from + 2 * fromStep),
            m3 = TLanes.Load(from + 3 * fromStep);
        TLanes.Store(TLanes.Add(m0, TLanes.Add(m1, m2)), to);
        TLanes.Store(TLanes.Add(m3, TLanes.Subtract(m1, m2)), to + toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Upstream<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector e0 = TLanes.Load(from),
            e1 = TLanes.Load(from + fromStep);
        TLanes.Store(e0, to);
        TLanes.Store(TLanes.Add(e0, e1), to + toStep);
        TLanes.Store(TLanes.Subtract(e0, e1), to + 2 * toStep);
        TLanes.Store(e1, to + 3 * toStep);
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
    public static void Input<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector d0 = TLanes.Load(from),
            d1 = TLanes.Load(from + fromStep),
            d2 = TLanes.Load(from + 2 * fromStep);
        TVector d3 = TLanes.Load(from + 3 * fromStep),
            d4 = TLanes.Load(from + 4 * fromStep),
            d5 = TLanes.Load(from + 5 * fromStep);
        TVector product = TLanes.Broadcast(Product),
            sum = TLanes.Broadcast(-Sum),
            a2 = TLanes.Broadcast(-A2),
            b2 = TLanes.Broadcast(-B2);
        TVector even = TLanes.MultiplyAdd(d2, b2, d4),
            odd = TLanes.MultiplyAdd(d1, b2, d3);
        TLanes.Store(TLanes.MultiplyAdd(d0, product, TLanes.MultiplyAdd(d2, sum, d4)), to);
        TLanes.Store(TLanes.MultiplyAdd(odd, TLanes.Broadcast(A1), even), to + toStep);
        TLanes.Store(TLanes.MultiplyAdd(odd, TLanes.Broadcast(-A1), even), to + 2 * toStep);
        even = TLanes.MultiplyAdd(d2, a2, d4);
        odd = TLanes.MultiplyAdd(d1, a2, d3);
        TLanes.Store(TLanes.MultiplyAdd(odd, TLanes.Broadcast(B1), even), to + 3 * toStep);
        TLanes.Store(TLanes.MultiplyAdd(odd, TLanes.Broadcast(-B1), even), to + 4 * toStep);
        TLanes.Store(TLanes.MultiplyAdd(d1, product, TLanes.MultiplyAdd(d3, sum, d5)), to + 5 * toStep);
    }

    /// <summary>Row k of Aᵀ holds the points' k-th powers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector m0 = TLanes.Load(from),
            m1 = TLanes.Load(from + fromStep),
            m2 = TLanes.Load(from + 2 * fromStep);
        TVector m3 = TLanes.Load(from + 3 * fromStep),
            m4 = TLanes.Load(from + 4 * fromStep),
            m5 = TLanes.Load(from + 5 * fromStep);
        TVector evenA = TLanes.Add(m1, m2),
            oddA = TLanes.Subtract(m1, m2),
            evenB = TLanes.Add(m3, m4),
            oddB = TLanes.Subtract(m3, m4);
        TLanes.Store(TLanes.Add(m0, TLanes.Add(evenA, evenB)), to);
        TLanes.Store(TLanes.MultiplyAdd(oddB, TLanes.Broadcast(B1), TLanes.Multiply(oddA, TLanes.Broadcast(A1))), to + toStep);
        TLanes.Store(TLanes.MultiplyAdd(evenB, TLanes.Broadcast(B2), TLanes.Multiply(evenA, TLanes.Broadcast(A2))), to + 2 * toStep);
        TLanes.Store(TLanes.MultiplyAdd(oddB, TLanes.Broadcast(B3), TLanes.MultiplyAdd(oddA, TLanes.Broadcast(A3), m5)), to + 3 * toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Upstream<TLanes, TVector>(float* from, int fromStep, float* to, int toStep)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
    {
        TVector e0 = TLanes.Load(from),
            e1 = TLanes.Load(from + fromStep),
            e2 = TLanes.Load(from + 2 * fromStep),
            e3 = TLanes.Load(from + 3 * fromStep);
        TLanes.Store(e0, to);
        TVector even = TLanes.MultiplyAdd(e2, TLanes.Broadcast(A2), e0),
            odd = TLanes.MultiplyAdd(e3, TLanes.Broadcast(A3), TLanes.Multiply(e1, TLanes.Broadcast(A1)));
        TLanes.Store(TLanes.Add(even, odd), to + toStep);
        TLanes.Store(TLanes.Subtract(even, odd), to + 2 * toStep);
        even = TLanes.MultiplyAdd(e2, TLanes.Broadcast(B2), e0);
        odd = TLanes.MultiplyAdd(e3, TLanes.Broadcast(B3), TLanes.Multiply(e1, TLanes.Broadcast(B1)));
        TLanes.Store(TLanes.Add(even, odd), to + 3 * toStep);
        TLanes.Store(TLanes.Subtract(even, odd), to + 4 * toStep);
        TLanes.Store(e3, to + 5 * toStep);
    }
}
