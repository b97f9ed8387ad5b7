using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Tensorial.Kernels;

/// <summary>Sizes of this machine's caches, read once.</summary>
internal static class Caches
{
    /// <summary>What is taken where nothing can be read: what most processors have at least.</summary>
    private const int Usual = 512 << 10;

    /// <summary>Bytes of a core's second-level cache.</summary>
    public static int SecondLevel { get; } =
        (FromSystem("/sys/devices/system/cpu/cpu0/cache") ?? FromProcessor()) is int bytes and >= 128 << 10 ? bytes : Usual;

    /// <summary>The size of the level 2 entry among a folder's index0, index1, … as Linux lists them; null where there is none.</summary>
    internal static int? FromSystem(string folder)
    {
        for (int index = 0; File.Exists($"{folder}/index{index}/level"); index++)
            if (Text(index, "level") == "2" && Text(index, "size") is [.. var digits, var unit])
                return int.TryParse(digits, CultureInfo.InvariantCulture, out int size) && size < 1 << 20
                    ? unit switch
                    {
                        'K' => size << 10,
                        'M' when size < 1 << 10 => size << 20,
                        _ => null,
                    }
                    : null;
        return null;

        string? Text(int index, string name)
        {
            try
            {
                return File.ReadAllText($"{folder}/index{index}/{name}").Trim();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>As x64 processors tell it: leaf 80000006h, kilobytes in the upper half of ECX.</summary>
    private static int? FromProcessor()
    {
        const uint basic = 0x80000000,
            sizes = basic + 6;
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)basic), 0).Eax < sizes)
            return null;
        return (X86Base.CpuId(unchecked((int)sizes), 0).Ecx >>> 16) << 10;
    }
}
