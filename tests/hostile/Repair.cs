using System.Buffers.Binary;
using System.Text;

namespace Tensorial.Hostile;

/// <summary>Checksums put right after a mutation, so that it reaches what lies behind them.</summary>
internal static class Repair
{
    private const int TarBlock = 512;

    /// <summary>CRCs of the chunks of a PNG; other bytes as they are.</summary>
    public static byte[] Png(byte[] bytes)
    {
        if (bytes.Length < 8 || bytes[1] != 'P' || bytes[2] != 'N' || bytes[3] != 'G')
            return bytes;
        for (long at = 8; at + 12 <= bytes.Length; )
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan((int)at));
            if (at + 12 + length > bytes.Length)
                break;
            uint crc = Crc32.Append(0, bytes.AsSpan((int)at + 4, (int)length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan((int)(at + 8 + length)), crc);
            at += 12 + length;
        }
        return bytes;
    }

    /// <summary>Checksums of the headers of a tar archive, block by block.</summary>
    public static byte[] Tar(byte[] bytes)
    {
        for (int at = 0; at + TarBlock <= bytes.Length; at += TarBlock)
        {
            Span<byte> block = bytes.AsSpan(at, TarBlock);
            if (!block[257..262].SequenceEqual("ustar"u8))
                continue;
            block.Slice(148, 8).Fill((byte)' ');
            int sum = 0;
            foreach (byte value in block)
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
        }
        return bytes;
    }
}
