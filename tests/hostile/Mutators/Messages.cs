using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Tensorial.Onnx.Proto;

namespace Tensorial.Hostile;

/// <summary>
/// Mutation of ONNX models as the messages they are: any field of any record, at any depth, gets another value, another record's value, is
/// dropped, doubled or moved. What comes out is a well-formed file that says something absurd.
/// </summary>
internal static class Messages
{
    private static readonly ConcurrentDictionary<
        MessageDescriptor,
        (FieldDescriptor[] All, FieldDescriptor[] Texts, FieldDescriptor[] Records)
    > Known = new();

    public static byte[] Mutate(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] good = Bytes.Pick(corpus, random);
        if (random.Next(5) == 0)
            return Bytes.Mutate(good, corpus, random);
        ModelProto model = ModelProto.Parser.ParseFrom(good);
        for (int change = random.Next(1, 5); change > 0; change--)
            Change(model, random);
        return model.ToByteArray();
    }

    private static void Change(ModelProto model, Random random)
    {
        List<IMessage> records = [];
        Collect(model, records);
        IMessage record = records[random.Next(records.Count)];
        FieldDescriptor[] fields = FieldsOf(record.Descriptor).All;
        // Fields that say something are more interesting than those that are not there.
        FieldDescriptor[] said = [.. fields.Where(field => IsSaid(record, field))];
        FieldDescriptor field = said.Length > 0 && random.Next(4) > 0 ? said[random.Next(said.Length)] : fields[random.Next(fields.Length)];
        if (field.IsRepeated)
            ChangeList((IList)field.Accessor.GetValue(record), field, records, random);
        else if (random.Next(8) == 0)
            field.Accessor.Clear(record);
        else if (Value(field, record, records, random) is { } value)
            field.Accessor.SetValue(record, value);
    }

    private static bool IsSaid(IMessage record, FieldDescriptor field) =>
        field.IsRepeated ? ((IList)field.Accessor.GetValue(record)).Count > 0
        : field.HasPresence ? field.Accessor.HasValue(record)
        : field.Accessor.GetValue(record) is not null;

    private static void ChangeList(IList list, FieldDescriptor field, List<IMessage> records, Random random)
    {
        int place = list.Count == 0 ? 0 : random.Next(list.Count);
        switch (random.Next(5))
        {
            case 0 when list.Count > 0:
                list.RemoveAt(place);
                break;
            case 1 when list.Count > 0:
                list.Insert(random.Next(list.Count + 1), Clone(list[place]!));
                break;
            case 2 when list.Count > 1:
                int other = random.Next(list.Count);
                object one = Clone(list[place]!),
                    two = Clone(list[other]!);
                (list[place], list[other]) = (two, one);
                break;
            case 3 when list.Count > 0:
                if (Value(field, null, records, random) is { } value)
                    list[place] = value;
                break;
            default:
                if (Value(field, null, records, random) is { } added)
                    list.Insert(random.Next(list.Count + 1), added);
                break;
        }
    }

    private static object Clone(object value) =>
        value is IMessage message ? message.Descriptor.Parser.ParseFrom(message.ToByteArray()) : value;

    private static object? Value(FieldDescriptor field, IMessage? record, List<IMessage> records, Random random) =>
        field.FieldType switch
        {
            FieldType.Int32 => (int)Bytes.Number(random),
            FieldType.Int64 => Bytes.Number(random),
            FieldType.UInt64 => (ulong)Bytes.Number(random),
            FieldType.Float => Real(random),
            FieldType.Double => (double)Real(random),
            FieldType.Bool => random.Next(2) == 0,
            FieldType.Enum => random.Next(2) == 0
                ? random.Next(-1, 30)
                : field.EnumType.Values[random.Next(field.EnumType.Values.Count)].Number,
            FieldType.String => Text(records, random),
            FieldType.Bytes => Changed(record is null ? ByteString.Empty : (ByteString)field.Accessor.GetValue(record), random),
            FieldType.Message => records.Where(known => known.Descriptor == field.MessageType).ToArray() is { Length: > 0 } alike
                ? Clone(alike[random.Next(alike.Length)])
                : field.MessageType.Parser.ParseFrom([]),
            _ => null,
        };

    private static float Real(Random random) =>
        random.Next(6) switch
        {
            0 => float.NaN,
            1 => float.PositiveInfinity,
            2 => 0,
            3 => float.Epsilon,
            4 => float.MaxValue,
            _ => random.NextSingle() * 4 - 2,
        };

    private static ByteString Changed(ByteString bytes, Random random) =>
        random.Next(3) switch
        {
            0 => ByteString.CopyFrom(bytes.Span[..random.Next(bytes.Length + 1)]),
            1 => ByteString.CopyFrom([.. bytes, .. new byte[random.Next(64)]]),
            _ => bytes.Length == 0 ? bytes : ByteString.CopyFrom(Bytes.Mutate(bytes.ToByteArray(), [bytes.ToByteArray()], random)),
        };

    /// <summary>A text of the model itself, so that names meet, or the name of another operator.</summary>
    private static string Text(List<IMessage> records, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                return "";
            case 1:
                var operators = Onnx.OnnxOperators.All;
                return operators[random.Next(operators.Length)].Type;
            case 2:
                return new string('n', random.Next(300));
        }
        for (int attempt = 0; attempt < 20; attempt++)
        {
            IMessage record = records[random.Next(records.Count)];
            FieldDescriptor[] texts = FieldsOf(record.Descriptor).Texts;
            if (texts.Length == 0)
                continue;
            object value = texts[random.Next(texts.Length)].Accessor.GetValue(record);
            if (value is string text)
                return text;
            if (value is IList { Count: > 0 } list)
                return (string)list[random.Next(list.Count)]!;
        }
        return "nowhere";
    }

    /// <summary>The fields of a kind of record: all, those of text, and those of other records.</summary>
    private static (FieldDescriptor[] All, FieldDescriptor[] Texts, FieldDescriptor[] Records) FieldsOf(MessageDescriptor kind) =>
        Known.GetOrAdd(
            kind,
            static kind =>
                (
                    [.. kind.Fields.InDeclarationOrder()],
                    [.. kind.Fields.InDeclarationOrder().Where(static f => f.FieldType == FieldType.String)],
                    [.. kind.Fields.InDeclarationOrder().Where(static f => f.FieldType == FieldType.Message)]
                )
        );

    private static void Collect(IMessage record, List<IMessage> records)
    {
        records.Add(record);
        foreach (FieldDescriptor field in FieldsOf(record.Descriptor).Records)
        {
            object value = field.Accessor.GetValue(record);
            if (value is IList list)
                foreach (object item in list)
                    Collect((IMessage)item, records);
            else if (value is IMessage inner)
                Collect(inner, records);
        }
    }
}
