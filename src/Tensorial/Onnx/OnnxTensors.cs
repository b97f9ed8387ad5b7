using System.Runtime.InteropServices;
using Google.Protobuf;
using Tensorial.Onnx.Proto;

namespace Tensorial.Onnx;

/// <summary>Tensors as ONNX stores them: little-endian bytes, or lists of a wider type.</summary>
internal static class OnnxTensors
{
    /// <summary>The element type that an ONNX data type stands for; null for text, complex numbers, 8-bit floats and 4-bit integers.</summary>
    public static ElementType? TypeOf(int dataType) => (TensorProto.Types.DataType)dataType switch
    {
        TensorProto.Types.DataType.Float => ElementType.Float32,
        TensorProto.Types.DataType.Double => ElementType.Float64,
        TensorProto.Types.DataType.Float16 => ElementType.Float16,
        TensorProto.Types.DataType.Bfloat16 => ElementType.BFloat16,
        TensorProto.Types.DataType.Int8 => ElementType.Int8,
        TensorProto.Types.DataType.Int16 => ElementType.Int16,
        TensorProto.Types.DataType.Int32 => ElementType.Int32,
        TensorProto.Types.DataType.Int64 => ElementType.Int64,
        TensorProto.Types.DataType.Uint8 => ElementType.UInt8,
        TensorProto.Types.DataType.Uint16 => ElementType.UInt16,
        TensorProto.Types.DataType.Uint32 => ElementType.UInt32,
        TensorProto.Types.DataType.Uint64 => ElementType.UInt64,
        TensorProto.Types.DataType.Bool => ElementType.Bool,
        _ => null,
    };

    /// <summary>The ONNX data type of an element type.</summary>
    public static int DataTypeOf(ElementType type) => Enumerable.Range(1, 22).First(dataType => TypeOf(dataType) == type);

    /// <summary>A tensor as raw little-endian bytes.</summary>
    public static TensorProto Write(string name, Tensor value)
    {
        byte[] bytes = BytesOf(value);
        if (!BitConverter.IsLittleEndian) ReverseEach(bytes, value.ElementType.Size());
        return new() { Name = name, DataType = DataTypeOf(value.ElementType), Dims = { value.Shape.Select(static e => (long)e) }, RawData = UnsafeByteOperations.UnsafeWrap(bytes) };
    }

    private static byte[] BytesOf(Tensor value) => value switch
    {
        Tensor<float> t => Bytes(t),
        Tensor<double> t => Bytes(t),
        Tensor<Half> t => Bytes(t),
        Tensor<BFloat16> t => Bytes(t),
        Tensor<sbyte> t => Bytes(t),
        Tensor<short> t => Bytes(t),
        Tensor<int> t => Bytes(t),
        Tensor<long> t => Bytes(t),
        Tensor<byte> t => Bytes(t),
        Tensor<ushort> t => Bytes(t),
        Tensor<uint> t => Bytes(t),
        Tensor<ulong> t => Bytes(t),
        _ => Bytes(value.Of<bool>()),
    };

    private static byte[] Bytes<T>(Tensor<T> value) where T : unmanaged => MemoryMarshal.AsBytes(value.Values).ToArray();

    /// <summary>The values of a tensor.</summary>
    /// <exception cref="BadInputException">Its type has no values we compute with, its extents are impossible, or its data has another length.</exception>
    public static Tensor Read(TensorProto proto, ExternalData? external = null)
    {
        if (proto.DataLocation == TensorProto.Types.DataLocation.External)
        {
            long bytes = (long)ShapeOf(proto).Count * (TypeOf(proto.DataType)?.Size() ?? 0);
            proto = new() { Name = proto.Name, DataType = proto.DataType, Dims = { proto.Dims }, RawData = UnsafeByteOperations.UnsafeWrap((external ?? ExternalData.None).Read(proto, bytes)) };
        }
        ElementType type = TypeOf(proto.DataType)
            ?? throw new UnsupportedException($"Tensor '{proto.Name}' has the ONNX data type {(TensorProto.Types.DataType)proto.DataType}, which is not supported.");
        Shape shape = ShapeOf(proto);
        return type switch
        {
            ElementType.Float32 => Make(proto, shape, proto.FloatData, static v => v),
            ElementType.Float64 => Make(proto, shape, proto.DoubleData, static v => v),
            ElementType.Float16 => Make(proto, shape, proto.Int32Data, static v => BitConverter.UInt16BitsToHalf((ushort)v)),
            ElementType.BFloat16 => Make(proto, shape, proto.Int32Data, static v => new BFloat16((ushort)v)),
            ElementType.Int8 => Make(proto, shape, proto.Int32Data, static v => (sbyte)v),
            ElementType.Int16 => Make(proto, shape, proto.Int32Data, static v => (short)v),
            ElementType.Int32 => Make(proto, shape, proto.Int32Data, static v => v),
            ElementType.Int64 => Make(proto, shape, proto.Int64Data, static v => v),
            ElementType.UInt8 => Make(proto, shape, proto.Int32Data, static v => (byte)v),
            ElementType.UInt16 => Make(proto, shape, proto.Int32Data, static v => (ushort)v),
            ElementType.UInt32 => Make(proto, shape, proto.Uint64Data, static v => (uint)v),
            ElementType.UInt64 => Make(proto, shape, proto.Uint64Data, static v => v),
            _ => Make(proto, shape, proto.Int32Data, static v => v != 0),
        };
    }

    private static Shape ShapeOf(TensorProto proto)
    {
        int[] extents = new int[proto.Dims.Count];
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (proto.Dims[axis] is < 0 or > int.MaxValue)
                throw new BadInputException($"Tensor '{proto.Name}' has the extent {proto.Dims[axis]} along axis {axis}.");
            extents[axis] = (int)proto.Dims[axis];
        }
        return Shape.Of(extents);
    }

    private static Tensor<T> Make<T, TStored>(TensorProto proto, Shape shape, IList<TStored> stored, Func<TStored, T> convert) where T : unmanaged
    {
        bool raw = proto.HasRawData && proto.RawData.Length > 0;
        long bytes = (long)shape.Count * ElementTypes.Of<T>().Size();
        // Lengths are compared before anything is allocated: a shape costs the file a few bytes, its values would cost us gigabytes.
        if (raw ? proto.RawData.Length != bytes : stored.Count != shape.Count)
            throw new BadInputException(
                $"Tensor '{proto.Name}' of shape {shape} needs {(raw ? $"{bytes:N0} bytes" : $"{shape.Count:N0} values")}, but {(raw ? proto.RawData.Length : stored.Count):N0} are stored.");
        Tensor<T> tensor = new(shape);
        if (!raw)
        {
            for (int i = 0; i < stored.Count; i++) tensor.Values[i] = convert(stored[i]);
        }
        else if (typeof(T) == typeof(bool))
        {
            for (int i = 0; i < shape.Count; i++) tensor.Of<bool>().Values[i] = proto.RawData[i] != 0;
        }
        else
        {
            Span<byte> target = MemoryMarshal.AsBytes(tensor.Values);
            proto.RawData.Span.CopyTo(target);
            if (!BitConverter.IsLittleEndian) ReverseEach(target, ElementTypes.Of<T>().Size());
        }
        return tensor;
    }

    private static void ReverseEach(Span<byte> bytes, int size)
    {
        for (int at = 0; at < bytes.Length; at += size) bytes.Slice(at, size).Reverse();
    }
}
