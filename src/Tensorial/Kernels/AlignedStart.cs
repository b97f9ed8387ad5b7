using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tensorial.Kernels;

/// <summary>Finds where a pinned array first reaches a cache line.</summary>
internal static class AlignedStart
{
    /// <summary>Index of the first element on a 64-byte boundary. The array must be pinned and hold at least 15 spare elements.</summary>
    public static unsafe int Of(float[] pinned)
    {
        nuint address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
        return (int)((64 - address % 64) % 64 / sizeof(float));
    }
}
