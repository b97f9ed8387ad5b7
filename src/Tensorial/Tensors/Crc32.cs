namespace Tensorial;

/// <summary>The 32-bit cyclic redundancy check of ZIP and PNG (reflected polynomial EDB88320).</summary>
internal static class Crc32
{
    private static readonly uint[] Table =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(index =>
            {
                uint value = (uint)index;
                for (int bit = 0; bit < 8; bit++)
                    value = (value >> 1) ^ (0xEDB88320 & (0 - (value & 1)));
                return value;
            }),
    ];

    /// <summary>
    /// The check of some bytes followed by <paramref name="bytes"/>, where <paramref name="before"/> is the check of the former.
    /// </summary>
    public static uint Append(uint before, ReadOnlySpan<byte> bytes)
    {
        uint value = ~before;
        foreach (byte part in bytes)
            value = Table[(byte)(value ^ part)] ^ (value >> 8);
        return ~value;
    }
}
