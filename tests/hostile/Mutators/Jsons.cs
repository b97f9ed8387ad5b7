using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tensorial.Hostile;

/// <summary>Mutation of JSON that stays JSON: any value replaced, dropped, doubled or put in another's place.</summary>
internal static class Jsons
{
    private const string Mark = "\u0001here\u0001";

    private static readonly string[] Values =
    [
        "null",
        "0",
        "-1",
        "-5",
        "7",
        "1e999",
        "-1e999",
        "1e-320",
        "0.5",
        "2147483648",
        "9223372036854775808",
        "123456789012345678901234567890",
        "\"\"",
        "\"x\"",
        "\"../../etc/passwd\"",
        "\"NaN\"",
        "\"\\u0000\\u001b[31m\"",
        "\"\\ud800\"",
        "[]",
        "[null]",
        "[[]]",
        "{}",
        "true",
        "[1,2,3]",
        "\"o|ihw\"",
        "\"svd-out\"",
    ];

    public static byte[] Mutate(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] good = Bytes.Pick(corpus, random);
        if (random.Next(5) == 0)
            return Bytes.Mutate(good, corpus, random);
        string text = Encoding.UTF8.GetString(good);
        for (int change = random.Next(1, 4); change > 0; change--)
            text = Change(text, random);
        return Encoding.UTF8.GetBytes(text);
    }

    /// <summary>One change; the text as it is where it is no JSON any more, or none that can be written again.</summary>
    public static string Change(string text, Random random)
    {
        try
        {
            return Changed(text, random);
        }
        catch (InvalidOperationException)
        {
            return text;
        }
    }

    private static string Changed(string text, Random random)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
        List<(JsonNode Owner, string? Key, int Index)> places = [];
        Collect(root, places);
        if (places.Count == 0)
            return Values[random.Next(Values.Length)];
        (JsonNode owner, string? key, int index) = places[random.Next(places.Count)];
        JsonNode? value = key is null ? owner[index] : owner[key];
        switch (random.Next(6))
        {
            case 0:
                if (key is null)
                    ((JsonArray)owner).RemoveAt(index);
                else
                    ((JsonObject)owner).Remove(key);
                return root!.ToJsonString();
            case 1 when key is null:
                ((JsonArray)owner).Insert(index, value?.DeepClone());
                return root!.ToJsonString();
            case 2:
                (JsonNode other, string? otherKey, int otherIndex) = places[random.Next(places.Count)];
                JsonNode? taken = (otherKey is null ? other[otherIndex] : other[otherKey])?.DeepClone();
                Put(taken);
                return root!.ToJsonString();
            default:
                Put(JsonValue.Create(Mark));
                return root!
                    .ToJsonString()
                    .Replace(JsonSerializer.Serialize(Mark), Values[random.Next(Values.Length)], StringComparison.Ordinal);
        }

        void Put(JsonNode? put)
        {
            if (key is null)
                owner[index] = put;
            else
                owner[key] = put;
        }
    }

    private static void Collect(JsonNode? node, List<(JsonNode, string?, int)> places)
    {
        switch (node)
        {
            case JsonObject members:
                foreach ((string key, JsonNode? value) in members)
                {
                    places.Add((members, key, 0));
                    Collect(value, places);
                }
                break;
            case JsonArray items:
                for (int i = 0; i < items.Count; i++)
                {
                    places.Add((items, null, i));
                    Collect(items[i], places);
                }
                break;
        }
    }
}
