using System.Runtime.CompilerServices;

namespace Tensorial.Kernels;

/// <summary>The arithmetic of a width with every access checked (<see cref="Bounds"/>): kernels run in it as they are.</summary>
internal readonly unsafe struct CheckedLanes<TLanes, TVector, T> : ILanes<TVector, T>
    where TLanes : struct, ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    public static int Count => TLanes.Count;

    public static int TileRows => TLanes.TileRows;

    public static TVector Load(T* from)
    {
        Bounds.CheckBytes(from, Unsafe.SizeOf<TVector>());
        return TLanes.Load(from);
    }

    public static void Store(TVector value, T* to)
    {
        Bounds.CheckBytes(to, Unsafe.SizeOf<TVector>());
        TLanes.Store(value, to);
    }

    public static TVector Spread(T* from)
    {
        Bounds.CheckBytes(from, sizeof(T));
        return TLanes.Spread(from);
    }

    public static TVector Broadcast(T value) => TLanes.Broadcast(value);

    public static TVector MultiplyAdd(TVector a, TVector b, TVector c) => TLanes.MultiplyAdd(a, b, c);

    public static TVector Add(TVector a, TVector b) => TLanes.Add(a, b);

    public static TVector Subtract(TVector a, TVector b) => TLanes.Subtract(a, b);

    public static TVector Multiply(TVector a, TVector b) => TLanes.Multiply(a, b);

    public static TVector AtLeast(TVector bound, TVector value) => TLanes.AtLeast(bound, value);

    public static TVector AtMost(TVector bound, TVector value) => TLanes.AtMost(bound, value);

    public static TVector Maximum(TVector a, TVector b) => TLanes.Maximum(a, b);

    public static TVector WherePositive(TVector condition, TVector value) => TLanes.WherePositive(condition, value);

    public static TVector WhereEqual(TVector a, TVector b, TVector value) => TLanes.WhereEqual(a, b, value);

    public static T Sum(TVector value) => TLanes.Sum(value);
}
