using System.Collections.Immutable;
using Google.Protobuf;
using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace Tensorial.Onnx;

/// <summary>Attributes of our own nodes as the file format's records.</summary>
internal static class OnnxAttributeForm
{
    public static AttributeProto Of(string name, object value) =>
        value switch
        {
            long number => new()
            {
                Name = name,
                Type = AttributeType.Int,
                I = number,
            },
            float number => new()
            {
                Name = name,
                Type = AttributeType.Float,
                F = number,
            },
            string text => new()
            {
                Name = name,
                Type = AttributeType.String,
                S = ByteString.CopyFromUtf8(text),
            },
            Tensor tensor => new()
            {
                Name = name,
                Type = AttributeType.Tensor,
                T = OnnxTensors.Write("", tensor),
            },
            ImmutableArray<long> numbers => new()
            {
                Name = name,
                Type = AttributeType.Ints,
                Ints = { numbers },
            },
            ImmutableArray<float> numbers => new()
            {
                Name = name,
                Type = AttributeType.Floats,
                Floats = { numbers },
            },
            ImmutableArray<string> texts => new()
            {
                Name = name,
                Type = AttributeType.Strings,
                Strings = { texts.Select(ByteString.CopyFromUtf8) },
            },
            _ => throw new UnsupportedException($"Attribute '{name}' of {value.GetType().Name} cannot be written."),
        };
}
