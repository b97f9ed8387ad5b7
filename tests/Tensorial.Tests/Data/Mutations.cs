namespace Tensorial.Tests.Data;

/// <summary>
/// Damages a good file in many small ways and sees that a reader takes it or refuses it with a <see cref="BadInputException"/>.
/// </summary>
internal static class Mutations
{
    public static void Apply(byte[] good, int seed, int rounds, Action<byte[]> read)
    {
        read(good);
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = Damage(good, new Random(unchecked(seed * 1_000_003 + round)));
            try
            {
                read(damaged);
            }
            catch (BadInputException)
            {
                // A refusal in the reader's own words is what damage should meet.
            }
            catch (Exception other)
            {
                Assert.Fail($"Seed {seed}, round {round}: {other.GetType().Name}: {other.Message}\n{other.StackTrace}");
            }
        }
    }

    private static byte[] Damage(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int change = random.Next(1, 4); change > 0 && bytes.Count > 0; change--)
        {
            // Headers decide most; half of the changes fall into the first hundred bytes.
            int place = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 100) : bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[place] = (byte)(random.Next(2) * 255);
                    break;
                case 3:
                    bytes.RemoveRange(place, Math.Min(random.Next(1, 20), bytes.Count - place));
                    break;
                default:
                    bytes.InsertRange(place, bytes.Slice(place, Math.Min(random.Next(1, 20), bytes.Count - place)).ToArray());
                    break;
            }
        }
        return random.Next(10) == 0 ? bytes.Take(random.Next(bytes.Count + 1)).ToArray() : [.. bytes];
    }
}
