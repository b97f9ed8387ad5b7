using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Functions of a row of pixels with a parameter for each of the 16 channels.</summary>
internal static unsafe class ChannelRows
{
    /// <summary>y = scale[channel] · x + shift[channel], over one block's pixels.</summary>
    public static void ScaleShift(VectorWidth width, float* x, float* scale, float* shift, float* y, int pixels) =>
        width.Run<ScaleShiftKernel, float>(new(x, scale, shift, y, pixels));

    /// <summary>y = x where positive, slope[channel] · x elsewhere.</summary>
    public static void Leak(VectorWidth width, float* x, float* slope, float* y, int pixels) =>
        width.Run<LeakKernel, float>(new(x, slope, y, pixels));

    private readonly struct ScaleShiftKernel(float* x, float* scale, float* shift, float* y, int pixels) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            for (int lane = 0; lane < BlockedLayout.ChannelBlock; lane += TWidth.Count)
            {
                TVector a = TWidth.Load(scale + lane),
                    b = TWidth.Load(shift + lane);
                float* from = x + lane,
                    to = y + lane;
                for (int pixel = pixels; pixel > 0; pixel--, from += BlockedLayout.ChannelBlock, to += BlockedLayout.ChannelBlock)
                    TWidth.Store(TWidth.MultiplyAdd(TWidth.Load(from), a, b), to);
            }
        }
    }

    private readonly struct LeakKernel(float* x, float* slope, float* y, int pixels) : IVectorKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            TVector zero = TWidth.Broadcast(0);
            for (int lane = 0; lane < BlockedLayout.ChannelBlock; lane += TWidth.Count)
            {
                TVector a = TWidth.Load(slope + lane);
                float* from = x + lane,
                    to = y + lane;
                for (int pixel = pixels; pixel > 0; pixel--, from += BlockedLayout.ChannelBlock, to += BlockedLayout.ChannelBlock)
                {
                    TVector value = TWidth.Load(from);
                    TWidth.Store(TWidth.MultiplyAdd(TWidth.AtMost(zero, value), a, TWidth.AtLeast(zero, value)), to);
                }
            }
        }
    }
}
