using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>Finds the code of a tile of the matrix product, compiling it at the first call.</summary>
internal static unsafe class GemmTiles
{
    public static delegate* <nint, T*, nint, T*, nint, T*, nint, T, T, void> Find<TWidth, TVector, T>(int rows, int vectors)
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        vectors > 1 ? Find<TWidth, TVector, T, TwoAcross>(rows) : Find<TWidth, TVector, T, OneAcross>(rows);

    private static delegate* <nint, T*, nint, T*, nint, T*, nint, T, T, void> Find<TWidth, TVector, T, TAcross>(int rows)
        where TWidth : struct, IVectorWidth<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TAcross : struct, IAcross =>
        rows switch
        {
            1 => &GemmTile.Run<TWidth, TVector, T, Rows1, TAcross>,
            2 => &GemmTile.Run<TWidth, TVector, T, Rows2, TAcross>,
            3 => &GemmTile.Run<TWidth, TVector, T, Rows3, TAcross>,
            4 => &GemmTile.Run<TWidth, TVector, T, Rows4, TAcross>,
            5 => &GemmTile.Run<TWidth, TVector, T, Rows5, TAcross>,
            6 => &GemmTile.Run<TWidth, TVector, T, Rows6, TAcross>,
            7 => &GemmTile.Run<TWidth, TVector, T, Rows7, TAcross>,
            8 => &GemmTile.Run<TWidth, TVector, T, Rows8, TAcross>,
            9 => &GemmTile.Run<TWidth, TVector, T, Rows9, TAcross>,
            10 => &GemmTile.Run<TWidth, TVector, T, Rows10, TAcross>,
            11 => &GemmTile.Run<TWidth, TVector, T, Rows11, TAcross>,
            12 => &GemmTile.Run<TWidth, TVector, T, Rows12, TAcross>,
            13 => &GemmTile.Run<TWidth, TVector, T, Rows13, TAcross>,
            _ => &GemmTile.Run<TWidth, TVector, T, Rows14, TAcross>,
        };
}
