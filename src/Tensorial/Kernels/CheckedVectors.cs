using System.Runtime.CompilerServices;

namespace Tensorial.Kernels;

/// <summary>The arithmetic of a width with every access checked (<see cref="Bounds"/>): kernels run in it as they are.</summary>
internal readonly unsafe struct CheckedVectors<TWidth, TVector, T> : IVectorWidth<TVector, T>
    where TWidth : struct, IVectorWidth<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    public static int Count => TWidth.Count;

    public static int TileRows => TWidth.TileRows;

    public static TVector Load(T* from)
    {
        Bounds.CheckBytes(from, Unsafe.SizeOf<TVector>());
        return TWidth.Load(from);
    }

    public static void Store(TVector value, T* to)
    {
        Bounds.CheckBytes(to, Unsafe.SizeOf<TVector>());
        TWidth.Store(value, to);
    }

    public static TVector Spread(T* from)
    {
        Bounds.CheckBytes(from, sizeof(T));
        return TWidth.Spread(from);
    }

    public static TVector Broadcast(T value) => TWidth.Broadcast(value);

    public static TVector MultiplyAdd(TVector a, TVector b, TVector c) => TWidth.MultiplyAdd(a, b, c);

    public static TVector Add(TVector a, TVector b) => TWidth.Add(a, b);

    public static TVector Subtract(TVector a, TVector b) => TWidth.Subtract(a, b);

    public static TVector Multiply(TVector a, TVector b) => TWidth.Multiply(a, b);

    public static TVector AtLeast(TVector bound, TVector value) => TWidth.AtLeast(bound, value);

    public static TVector AtMost(TVector bound, TVector value) => TWidth.AtMost(bound, value);

    public static TVector Maximum(TVector a, TVector b) => TWidth.Maximum(a, b);

    public static TVector WherePositive(TVector condition, TVector value) => TWidth.WherePositive(condition, value);

    public static TVector WhereEqual(TVector a, TVector b, TVector value) => TWidth.WhereEqual(a, b, value);

    public static T Sum(TVector value) => TWidth.Sum(value);
}
