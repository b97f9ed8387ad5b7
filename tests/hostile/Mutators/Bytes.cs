using System.Buffers.Binary;

namespace Tensorial.Hostile;

/// <summary>Mutation of bytes that knows nothing of their meaning.</summary>
internal static class Bytes
{
    /// <summary>Bytes at the beginning, where most formats say what follows.</summary>
    private const int Head = 100;

    private static readonly long[] Interesting =
    [
        0,
        1,
        -1,
        127,
        128,
        255,
        256,
        32767,
        32768,
        65535,
        65536,
        int.MaxValue,
        int.MinValue,
        uint.MaxValue,
        1L << 32,
        1L << 40,
        long.MaxValue,
        long.MinValue,
    ];

    public static long Number(Random random) =>
        random.Next(4) switch
        {
            0 => random.Next(16) - 4,
            1 => (1L << random.Next(63)) + random.Next(-1, 2),
            _ => Interesting[random.Next(Interesting.Length)],
        };

    /// <summary>A good input; the smaller of two, three times in four: what is small is tried quickly, and no less strange.</summary>
    public static byte[] Pick(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] one = corpus[random.Next(corpus.Count)],
            other = corpus[random.Next(corpus.Count)];
        return random.Next(4) > 0 && other.Length < one.Length ? other : one;
    }

    /// <summary>A good input with one to four changes, sometimes spliced with another or cut off.</summary>
    public static byte[] Mutate(IReadOnlyList<byte[]> corpus, Random random) => Mutate(Pick(corpus, random), corpus, random);

    public static byte[] Mutate(byte[] good, IReadOnlyList<byte[]> corpus, Random random)
    {
        List<byte> bytes = [.. good];
        for (int change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
            Change(bytes, corpus, random);
        return random.Next(12) == 0 ? [.. bytes.Take(random.Next(bytes.Count + 1))] : [.. bytes];
    }

    private static void Change(List<byte> bytes, IReadOnlyList<byte[]> corpus, Random random)
    {
        int place = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, Head) : bytes.Count),
            length = Math.Min(1 + random.Next(1 + random.Next(32)), bytes.Count - place);
        switch (random.Next(8))
        {
            case 0:
                bytes[place] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[place] = (byte)random.Next(256);
                break;
            case 2:
                bytes[place] = (byte)(bytes[place] + random.Next(-35, 36));
                break;
            case 3:
                WriteNumber(bytes, place, random);
                break;
            case 4:
                bytes.RemoveRange(place, length);
                break;
            case 5:
                bytes.InsertRange(place, bytes.GetRange(place, length));
                break;
            case 6:
                for (int k = place; k < place + length; k++)
                    bytes[k] = bytes[place];
                break;
            default:
                byte[] other = Pick(corpus, random);
                int from = random.Next(other.Length + 1);
                bytes.RemoveRange(place, length);
                bytes.InsertRange(place, other.Skip(from).Take(length));
                break;
        }
    }

    /// <summary>A number of 2, 4 or 8 bytes in either order.</summary>
    private static void WriteNumber(List<byte> bytes, int place, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        long value = Number(random);
        int size = 2 << random.Next(3);
        if (random.Next(2) == 0)
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        else
            BinaryPrimitives.WriteInt64BigEndian(number, value << (64 - 8 * size));
        for (int k = 0; k < size && place + k < bytes.Count; k++)
            bytes[place + k] = number[k];
    }
}
