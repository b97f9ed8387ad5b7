namespace Tensorial.Kernels.Blocked;

/// <summary>Finds the code of a tile, compiling it at the first call.</summary>
internal static unsafe class TileTable
{
    /// <summary>The tile of <paramref name="pixels"/> pixels for the lane width.</summary>
    public static delegate* <TileShape*, float*, float*, float*, float*, float*, void> Find<TLanes, TVector, TFlavour>(int pixels, int step)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
        where TFlavour : struct, IFlavour =>
        step switch
        {
            1 => Find<TLanes, TVector, Step1, TFlavour>(pixels),
            2 => Find<TLanes, TVector, Step2, TFlavour>(pixels),
            _ => Find<TLanes, TVector, AnyStep, TFlavour>(pixels),
        };

    private static delegate* <TileShape*, float*, float*, float*, float*, float*, void> Find<TLanes, TVector, TStep, TFlavour>(int pixels)
        where TLanes : struct, ILanes<TVector, float>
        where TVector : struct
        where TStep : struct, IStep
        where TFlavour : struct, IFlavour =>
        pixels switch
        {
            1 => &ConvolutionTile.Run<TLanes, TVector, Count1, TStep, TFlavour>,
            2 => &ConvolutionTile.Run<TLanes, TVector, Count2, TStep, TFlavour>,
            3 => &ConvolutionTile.Run<TLanes, TVector, Count3, TStep, TFlavour>,
            4 => &ConvolutionTile.Run<TLanes, TVector, Count4, TStep, TFlavour>,
            5 => &ConvolutionTile.Run<TLanes, TVector, Count5, TStep, TFlavour>,
            6 => &ConvolutionTile.Run<TLanes, TVector, Count6, TStep, TFlavour>,
            7 => &ConvolutionTile.Run<TLanes, TVector, Count7, TStep, TFlavour>,
            8 => &ConvolutionTile.Run<TLanes, TVector, Count8, TStep, TFlavour>,
            9 => &ConvolutionTile.Run<TLanes, TVector, Count9, TStep, TFlavour>,
            10 => &ConvolutionTile.Run<TLanes, TVector, Count10, TStep, TFlavour>,
            11 => &ConvolutionTile.Run<TLanes, TVector, Count11, TStep, TFlavour>,
            12 => &ConvolutionTile.Run<TLanes, TVector, Count12, TStep, TFlavour>,
            13 => &ConvolutionTile.Run<TLanes, TVector, Count13, TStep, TFlavour>,
            _ => &ConvolutionTile.Run<TLanes, TVector, Count14, TStep, TFlavour>,
        };
}
