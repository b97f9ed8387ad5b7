using System.Text;

namespace Tensorial.Hostile;

/// <summary>Mutation of texts: pieces of good ones exchanged, repeated and left out, numbers replaced.</summary>
internal static class Texts
{
    private static readonly string[] Pieces =
    [
        "",
        "-1",
        "0",
        "1e999",
        "NaN",
        "99999999999999999999",
        "2147483647",
        "-2147483648",
        "0.5",
        "->",
        "|",
        ",",
        "=",
        "...",
        "(",
        ")",
        "stride=",
        "pad=",
        "é",
        "\0",
        "\ud83d\ude00",
        " ",
        "\n",
        "%",
        "*",
        "?",
        ":",
    ];

    public static byte[] Mutate(IReadOnlyList<byte[]> corpus, Random random)
    {
        StringBuilder text = new(Encoding.UTF8.GetString(Bytes.Pick(corpus, random)));
        for (int change = random.Next(1, 6); change > 0; change--)
        {
            int place = random.Next(text.Length + 1),
                length = Math.Min(random.Next(6), text.Length - place);
            switch (random.Next(6))
            {
                case 0:
                    text.Remove(place, length);
                    break;
                case 1:
                    text.Insert(place, text.ToString(place, length));
                    break;
                case 2:
                    text.Insert(place, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 3:
                    text.Remove(place, length).Insert(place, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 4:
                    string other = Encoding.UTF8.GetString(Bytes.Pick(corpus, random));
                    int from = random.Next(other.Length + 1);
                    text.Insert(place, other.AsSpan(from, Math.Min(random.Next(12), other.Length - from)));
                    break;
                default:
                    if (length > 0)
                        text[place] = (char)(random.Next(2) == 0 ? random.Next('A', 'z') : random.Next(1, 0x300));
                    break;
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
