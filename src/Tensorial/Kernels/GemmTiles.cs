using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>Finds the code of a tile of the matrix product, compiling it at the first call.</summary>
internal static unsafe class GemmTiles
{
    public static delegate* <nint, T*, nint, T*, nint, T*, nint, T, T, void> Find<TLanes, TVector, T>(int rows, int vectors)
        where TLanes : struct, ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        vectors > 1 ? Find<TLanes, TVector, T, TwoAcross>(rows) : Find<TLanes, TVector, T, OneAcross>(rows);

    private static delegate* <nint, T*, nint, T*, nint, T*, nint, T, T, void> Find<TLanes, TVector, T, TAcross>(int rows)
        where TLanes : struct, ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TAcross : struct, IAcross =>
        rows switch
        {
            1 => &GemmTile.Run<TLanes, TVector, T, Rows1, TAcross>,
            2 => &GemmTile.Run<TLanes, TVector, T, Rows2, TAcross>,
            3 => &GemmTile.Run<TLanes, TVector, T, Rows3, TAcross>,
            4 => &GemmTile.Run<TLanes, TVector, T, Rows4, TAcross>,
            5 => &GemmTile.Run<TLanes, TVector, T, Rows5, TAcross>,
            6 => &GemmTile.Run<TLanes, TVector, T, Rows6, TAcross>,
            7 => &GemmTile.Run<TLanes, TVector, T, Rows7, TAcross>,
            8 => &GemmTile.Run<TLanes, TVector, T, Rows8, TAcross>,
            9 => &GemmTile.Run<TLanes, TVector, T, Rows9, TAcross>,
            10 => &GemmTile.Run<TLanes, TVector, T, Rows10, TAcross>,
            11 => &GemmTile.Run<TLanes, TVector, T, Rows11, TAcross>,
            12 => &GemmTile.Run<TLanes, TVector, T, Rows12, TAcross>,
            13 => &GemmTile.Run<TLanes, TVector, T, Rows13, TAcross>,
            _ => &GemmTile.Run<TLanes, TVector, T, Rows14, TAcross>,
        };
}
