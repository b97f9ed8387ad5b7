namespace Tensorial.Kernels.Blocked;

/// <summary>Finds the code of a tile, compiling it at the first call.</summary>
internal static unsafe class TileTable
{
    /// <summary>The tile of <paramref name="pixels"/> pixels for the lane width.</summary>
    public static delegate* <TileShape*, float*, float*, float*, float*, float*, void> Find<TWidth, TVector, TFlavour>(int pixels, int step)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour =>
        step switch
        {
            1 => Find<TWidth, TVector, Step1, TFlavour>(pixels),
            2 => Find<TWidth, TVector, Step2, TFlavour>(pixels),
            _ => Find<TWidth, TVector, AnyStep, TFlavour>(pixels),
        };

    /// <summary>The tile of so many scattered pixels.</summary>
    public static delegate* <TileShape*, float*, float*, float*, float*, float*, void> Scattered<TWidth, TVector, TFlavour>(int pixels)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour => Find<TWidth, TVector, Scattering, TFlavour>(pixels);

    private static delegate* <TileShape*, float*, float*, float*, float*, float*, void> Find<TWidth, TVector, TStep, TFlavour>(int pixels)
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TStep : struct, IStep
        where TFlavour : struct, IFlavour =>
        pixels switch
        {
            1 => &ConvolutionTile.Run<TWidth, TVector, Count1, TStep, TFlavour>,
            2 => &ConvolutionTile.Run<TWidth, TVector, Count2, TStep, TFlavour>,
            3 => &ConvolutionTile.Run<TWidth, TVector, Count3, TStep, TFlavour>,
            4 => &ConvolutionTile.Run<TWidth, TVector, Count4, TStep, TFlavour>,
            5 => &ConvolutionTile.Run<TWidth, TVector, Count5, TStep, TFlavour>,
            6 => &ConvolutionTile.Run<TWidth, TVector, Count6, TStep, TFlavour>,
            7 => &ConvolutionTile.Run<TWidth, TVector, Count7, TStep, TFlavour>,
            8 => &ConvolutionTile.Run<TWidth, TVector, Count8, TStep, TFlavour>,
            9 => &ConvolutionTile.Run<TWidth, TVector, Count9, TStep, TFlavour>,
            10 => &ConvolutionTile.Run<TWidth, TVector, Count10, TStep, TFlavour>,
            11 => &ConvolutionTile.Run<TWidth, TVector, Count11, TStep, TFlavour>,
            12 => &ConvolutionTile.Run<TWidth, TVector, Count12, TStep, TFlavour>,
            13 => &ConvolutionTile.Run<TWidth, TVector, Count13, TStep, TFlavour>,
            _ => &ConvolutionTile.Run<TWidth, TVector, Count14, TStep, TFlavour>,
        };
}
