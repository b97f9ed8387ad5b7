using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Tensorial.Kernels;

/// <summary>Squares of 4 × 4 numbers.</summary>
internal static unsafe class Square4
{
    /// <summary>to[j, i] = from[i, j]; pitches are distances between rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* from, int fromPitch, float* to, int toPitch)
    {
        Vector128<float> a = Vector128.Load(from),
            b = Vector128.Load(from + fromPitch);
        Vector128<float> c = Vector128.Load(from + 2 * fromPitch),
            d = Vector128.Load(from + 3 * fromPitch);
        Vector128<float> evenLow = ZipLow(a, c),
            evenHigh = ZipHigh(a, c),
            oddLow = ZipLow(b, d),
            oddHigh = ZipHigh(b, d);
        ZipLow(evenLow, oddLow).Store(to);
        ZipHigh(evenLow, oddLow).Store(to + toPitch);
        ZipLow(evenHigh, oddHigh).Store(to + 2 * toPitch);
        ZipHigh(evenHigh, oddHigh).Store(to + 3 * toPitch);
    }

    /// <summary>a₀ b₀ a₁ b₁.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a₂ b₂ a₃ b₃.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);
}
