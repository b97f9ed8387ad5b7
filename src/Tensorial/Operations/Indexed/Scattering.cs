using System.Numerics;

namespace Tensorial.Operations;

/// <summary>What happens to a value where another is scattered to.</summary>
public enum ScatterReduction
{
    /// <summary>It is replaced.</summary>
    None,

    /// <summary>Sum.</summary>
    Add,

    /// <summary>Product.</summary>
    Mul,

    /// <summary>Largest.</summary>
    Max,

    /// <summary>Smallest.</summary>
    Min,
}

/// <summary>Writing slices of updates to places of a tensor.</summary>
internal static class Scattering
{
    /// <summary>y = data, then at every place a slice of updates.</summary>
    public static void Write(Tensor data, int[] places, Tensor updates, int slice, ScatterReduction reduction, Tensor y)
    {
        data.CopyTo(y);
        if (slice == 0)
            return;
        if (reduction == ScatterReduction.None)
        {
            // Places one behind the other, as in a part of a tensor that is replaced, are one copy.
            for (int i = 0, run; i < places.Length; i += run)
            {
                run = 1;
                while (i + run < places.Length && places[i + run] == places[i] + run * slice)
                    run++;
                updates.Bytes(i * slice, run * slice).CopyTo(y.Bytes(places[i], run * slice));
            }
            return;
        }
        switch (y)
        {
            case Tensor<float> x:
                Reduce(x, places, updates.Of<float>(), slice, reduction);
                break;
            case Tensor<double> x:
                Reduce(x, places, updates.Of<double>(), slice, reduction);
                break;
            case Tensor<Half> x:
                Reduce(x, places, updates.Of<Half>(), slice, reduction);
                break;
            case Tensor<sbyte> x:
                Reduce(x, places, updates.Of<sbyte>(), slice, reduction);
                break;
            case Tensor<short> x:
                Reduce(x, places, updates.Of<short>(), slice, reduction);
                break;
            case Tensor<int> x:
                Reduce(x, places, updates.Of<int>(), slice, reduction);
                break;
            case Tensor<long> x:
                Reduce(x, places, updates.Of<long>(), slice, reduction);
                break;
            case Tensor<byte> x:
                Reduce(x, places, updates.Of<byte>(), slice, reduction);
                break;
            case Tensor<ushort> x:
                Reduce(x, places, updates.Of<ushort>(), slice, reduction);
                break;
            case Tensor<uint> x:
                Reduce(x, places, updates.Of<uint>(), slice, reduction);
                break;
            case Tensor<ulong> x:
                Reduce(x, places, updates.Of<ulong>(), slice, reduction);
                break;
            default:
                // bfloat16 has no arithmetic of its own.
                Tensor wide = Tensor.Zeros(ElementType.Float32, y.Shape);
                Write(data.To(ElementType.Float32), places, updates.To(ElementType.Float32), slice, reduction, wide);
                Conversion.Convert(wide, y);
                break;
        }
    }

    /// <summary>Copies the values of one tensor to another of the same type and shape.</summary>
    public static void CopyTo(this Tensor from, Tensor to)
    {
        // A span counts bytes in 31 bits.
        const int piece = 1 << 24;
        for (int done = 0; done < from.Shape.ElementCount; done += piece)
        {
            int step = Math.Min(piece, from.Shape.ElementCount - done);
            from.Bytes(done, step).CopyTo(to.Bytes(done, step));
        }
    }

    /// <summary>The gradients of a scatter that replaces or adds.</summary>
    public static void Back<T>(in Pullback<T> pull, int[] places, int slice, ScatterReduction reduction)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (reduction is not (ScatterReduction.None or ScatterReduction.Add))
            throw new UnsupportedException($"scattering with reduction '{reduction}' has no gradient.");
        if (pull.Gradient(0) is { } data)
        {
            Tensor<T> kept = pull.Dy.Clone();
            if (reduction == ScatterReduction.None)
                foreach (int place in places)
                    kept.Values.Slice(place, slice).Clear();
            data.Add<T>(kept.Values);
        }
        if (pull.Gradient(2) is { } updates)
            for (int i = 0; i < places.Length; i++)
            for (int k = 0; k < slice; k++)
                updates.Values[i * slice + k] += pull.Dy.Values[places[i] + k];
    }

    private static void Reduce<T>(Tensor<T> y, int[] places, Tensor<T> updates, int slice, ScatterReduction reduction)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < places.Length; i++)
        for (int k = 0; k < slice; k++)
        {
            ref T value = ref y.Values[places[i] + k];
            T update = updates.Values[i * slice + k];
            value = reduction switch
            {
                ScatterReduction.Add => value + update,
                ScatterReduction.Mul => value * update,
                ScatterReduction.Max => T.Max(value, update),
                _ => T.Min(value, update),
            };
        }
    }
}
