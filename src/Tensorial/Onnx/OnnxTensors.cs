using System.Globalization;
using Google.Protobuf;
using Tensorial.Onnx.Proto;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Onnx;

/// <summary>Tensors as ONNX stores them: little-endian bytes, lists of a wider type, or bytes in another file.</summary>
internal static class OnnxTensors
{
    /// <summary>More axes than any network has; a file that claims more means harm, and every walk over axes costs their number.</summary>
    private const int MostAxes = 64;

    private static readonly (DataType Stored, ElementType Ours)[] Types =
    [
        (DataType.Float, ElementType.Float32),
        (DataType.Double, ElementType.Float64),
        (DataType.Float16, ElementType.Float16),
        (DataType.Bfloat16, ElementType.BFloat16),
        (DataType.Int8, ElementType.Int8),
        (DataType.Int16, ElementType.Int16),
        (DataType.Int32, ElementType.Int32),
        (DataType.Int64, ElementType.Int64),
        (DataType.Uint8, ElementType.UInt8),
        (DataType.Uint16, ElementType.UInt16),
        (DataType.Uint32, ElementType.UInt32),
        (DataType.Uint64, ElementType.UInt64),
        (DataType.Bool, ElementType.Bool),
    ];

    /// <summary>
    /// The element type that an ONNX data type stands for; null for text, complex numbers, 8-bit floats and 4-bit integers.
    /// </summary>
    public static ElementType? TypeOf(int dataType)
    {
        foreach ((DataType stored, ElementType ours) in Types)
            if ((int)stored == dataType)
                return ours;
        return null;
    }

    /// <summary>The ONNX data type of an element type.</summary>
    public static int DataTypeOf(ElementType type) => (int)Array.Find(Types, pair => pair.Ours == type).Stored;

    /// <summary>The name that ONNX gives a data type, or its number where it has none that we know.</summary>
    public static string NameOf(int dataType) =>
        Enum.IsDefined((DataType)dataType)
            ? ((DataType)dataType).ToString().ToUpperInvariant()
            : dataType.ToString(CultureInfo.InvariantCulture);

    public static bool IsExternal(TensorProto proto) => proto.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>The values of a tensor.</summary>
    /// <exception cref="BadInputException">Its type has no values we compute with, its extents are impossible, or its data has another
    /// length.</exception>
    public static Tensor Read(TensorProto proto, ExternalData external)
    {
        ElementType type =
            TypeOf(proto.DataType)
            ?? throw new UnsupportedException(
                $"tensor '{proto.Name}' has the ONNX data type {NameOf(proto.DataType)}, which is not supported."
            );
        if (proto.Segment is not null)
            throw new UnsupportedException($"tensor '{proto.Name}' is one segment of several, which is not supported.");
        Shape shape = ShapeOf(proto);
        if (IsExternal(proto))
            return external.Read(proto, type, shape);
        if (IsRaw(proto))
        {
            // Lengths are compared before anything is allocated: a shape costs the file a few bytes, its values would cost us gigabytes.
            CheckLength(proto, shape, proto.RawData.Length, (long)shape.ElementCount * type.Size(), "bytes");
            if (TensorBytes.Over(proto.RawData, type, shape) is { } shared)
                return shared;
            Tensor tensor = Tensor.Zeros(type, shape);
            TensorBytes.Read(proto.RawData.Span, tensor);
            return tensor;
        }
        return type switch
        {
            ElementType.Float32 => Typed(proto, shape, proto.FloatData, static v => v),
            ElementType.Float64 => Typed(proto, shape, proto.DoubleData, static v => v),
            ElementType.Float16 => Typed(proto, shape, proto.Int32Data, static v => BitConverter.UInt16BitsToHalf((ushort)v)),
            ElementType.BFloat16 => Typed(proto, shape, proto.Int32Data, static v => new BFloat16((ushort)v)),
            ElementType.Int8 => Typed(proto, shape, proto.Int32Data, static v => (sbyte)v),
            ElementType.Int16 => Typed(proto, shape, proto.Int32Data, static v => (short)v),
            ElementType.Int32 => Typed(proto, shape, proto.Int32Data, static v => v),
            ElementType.Int64 => Typed(proto, shape, proto.Int64Data, static v => v),
            ElementType.UInt8 => Typed(proto, shape, proto.Int32Data, static v => (byte)v),
            ElementType.UInt16 => Typed(proto, shape, proto.Int32Data, static v => (ushort)v),
            ElementType.UInt32 => Typed(proto, shape, proto.Uint64Data, static v => (uint)v),
            ElementType.UInt64 => Typed(proto, shape, proto.Uint64Data, static v => v),
            _ => Typed(proto, shape, proto.Int32Data, static v => v != 0),
        };
    }

    /// <summary>
    /// Drops the stored values of a tensor that was read, where the tensor can give them back to the bit: a network's weights are
    /// then in memory once, not twice.
    /// </summary>
    /// <returns>Whether <see cref="Attach"/> must bring them back.</returns>
    public static bool Detach(TensorProto proto)
    {
        bool raw = IsRaw(proto) && proto.DataType != (int)DataType.Bool;
        if (!raw && !IsExternal(proto) && proto.FloatData.Count + proto.DoubleData.Count == 0)
            return false;
        if (raw)
            proto.RawData = ByteString.Empty;
        proto.FloatData.Clear();
        proto.DoubleData.Clear();
        return true;
    }

    /// <summary>Puts values back into a tensor's record, in the form that it had.</summary>
    public static void Attach(TensorProto proto, Tensor value)
    {
        switch (value)
        {
            case Tensor<float> numbers when !proto.HasRawData:
                proto.FloatData.AddRange(numbers.Values.ToArray());
                break;
            case Tensor<double> numbers when !proto.HasRawData:
                proto.DoubleData.AddRange(numbers.Values.ToArray());
                break;
            default:
                proto.RawData = TensorBytes.View(value);
                break;
        }
    }

    /// <summary>A tensor as raw bytes, which it shares.</summary>
    public static TensorProto Write(string name, Tensor value)
    {
        TensorProto proto = Header(new() { Name = name }, value);
        Attach(proto, value);
        return proto;
    }

    /// <summary>A record for another value, to be attached as raw bytes. Name and documentation stay.</summary>
    public static TensorProto Header(TensorProto former, Tensor value)
    {
        TensorProto proto = former.Clone();
        proto.ClearRawData();
        proto.ClearDataLocation();
        proto.ExternalData.Clear();
        proto.FloatData.Clear();
        proto.DoubleData.Clear();
        proto.Int32Data.Clear();
        proto.Int64Data.Clear();
        proto.Uint64Data.Clear();
        proto.DataType = DataTypeOf(value.ElementType);
        proto.Dims.Clear();
        foreach (int extent in value.Shape)
            proto.Dims.Add(extent);
        proto.RawData = ByteString.Empty;
        return proto;
    }

    /// <summary>Some writers leave an empty list of bytes beside values of another form.</summary>
    private static bool IsRaw(TensorProto proto) =>
        proto.HasRawData
        && (
            proto.RawData.Length > 0
            || proto.FloatData.Count + proto.DoubleData.Count + proto.Int32Data.Count + proto.Int64Data.Count + proto.Uint64Data.Count == 0
        );

    private static Shape ShapeOf(TensorProto proto)
    {
        if (proto.Dims.Count > MostAxes)
            throw new BadInputException($"tensor '{proto.Name}' has {proto.Dims.Count:N0} axes; at most {MostAxes} are read.");
        int[] extents = new int[proto.Dims.Count];
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (proto.Dims[axis] is < 0 or > int.MaxValue)
                throw new BadInputException($"tensor '{proto.Name}' has the extent {proto.Dims[axis]} along axis {axis}.");
            extents[axis] = (int)proto.Dims[axis];
        }
        try
        {
            return Shape.From(extents);
        }
        catch (ShapeException error)
        {
            throw new BadInputException($"tensor '{proto.Name}': {error.Message}", error);
        }
    }

    private static Tensor<T> Typed<T, TStored>(TensorProto proto, Shape shape, IList<TStored> stored, Func<TStored, T> convert)
        where T : unmanaged
    {
        CheckLength(proto, shape, stored.Count, shape.ElementCount, "values");
        Tensor<T> tensor = new(shape);
        for (int i = 0; i < stored.Count; i++)
            tensor.Values[i] = convert(stored[i]);
        return tensor;
    }

    private static void CheckLength(TensorProto proto, Shape shape, long stored, long needed, string unit)
    {
        if (stored != needed)
            throw new BadInputException(
                $"tensor '{proto.Name}' of {NameOf(proto.DataType)} and shape {shape} needs {needed:N0} {unit}, but {stored:N0} are stored."
            );
    }
}
