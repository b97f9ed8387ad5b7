using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Functions of a row of pixels with a parameter for each of the 16 channels.</summary>
internal static unsafe class ChannelRows
{
    /// <summary>y = scale[channel] · x + shift[channel], over one block's pixels.</summary>
    public static void ScaleShift(LaneWidth width, float* x, float* scale, float* shift, float* y, int pixels) =>
        width.Run<ScaleShiftKernel, float>(new(x, scale, shift, y, pixels));

    /// <summary>y = x where positive, slope[channel] · x elsewhere.</summary>
    public static void Leak(LaneWidth width, float* x, float* slope, float* y, int pixels) =>
        width.Run<LeakKernel, float>(new(x, slope, y, pixels));

    private readonly struct ScaleShiftKernel(float* x, float* scale, float* shift, float* y, int pixels) : ILaneKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector, float>
            where TVector : struct
        {
            for (int lane = 0; lane < BlockedLayout.Lanes; lane += TLanes.Count)
            {
                TVector a = TLanes.Load(scale + lane),
                    b = TLanes.Load(shift + lane);
                float* from = x + lane,
                    to = y + lane;
                for (int pixel = pixels; pixel > 0; pixel--, from += BlockedLayout.Lanes, to += BlockedLayout.Lanes)
                    TLanes.Store(TLanes.MultiplyAdd(TLanes.Load(from), a, b), to);
            }
        }
    }

    private readonly struct LeakKernel(float* x, float* slope, float* y, int pixels) : ILaneKernel<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector, float>
            where TVector : struct
        {
            TVector zero = TLanes.Broadcast(0);
            for (int lane = 0; lane < BlockedLayout.Lanes; lane += TLanes.Count)
            {
                TVector a = TLanes.Load(slope + lane);
                float* from = x + lane,
                    to = y + lane;
                for (int pixel = pixels; pixel > 0; pixel--, from += BlockedLayout.Lanes, to += BlockedLayout.Lanes)
                {
                    TVector value = TLanes.Load(from);
                    TLanes.Store(TLanes.MultiplyAdd(TLanes.AtMost(zero, value), a, TLanes.AtLeast(zero, value)), to);
                }
            }
        }
    }
}
