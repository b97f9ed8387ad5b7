using Tensorial.Kernels.Blocked;

namespace Tensorial.Equations;

/// <summary>
/// A step that takes a feature map through parameters, as networks compute it: a convolution over the axes of space that it convolves, in
/// groups along the axes that map, parameters and result share. Axes of channels that the parameters lack lie in the batch while it runs.
/// </summary>
/// <param name="Macs">Multiply-accumulates; taps that meet padding count too.</param>
/// <param name="Summed">Channels that end here, of one group.</param>
/// <param name="Made">Channels that begin here, of one group.</param>
/// <param name="Read">Values of the map.</param>
/// <param name="Written">Values of the result.</param>
/// <param name="Free">Channels in the batch; 1 for none.</param>
/// <param name="IsTransformable">Whether it is a plane of 3×3 that can be computed transformed (Winograd).</param>
internal readonly record struct MapStep(
    double Macs,
    double Summed,
    double Made,
    double Read,
    double Written,
    double Free,
    bool IsTransformable
)
{
    /// <summary>
    /// Multiply-accumulates in the time of writing one value that the next step reads, and of moving one to another layout. Fitted by hand:
    /// measured layers (bench <c>factor-orders</c>) order themselves as this says, but for few.
    /// </summary>
    private const double MacsPerWrite = 16,
        MacsPerMove = 64;

    /// <summary>
    /// The same of one multiply-accumulate of depthwise steps, which read a value for each: in the runtimes that files are written for, and in
    /// our executor, which trains.
    /// </summary>
    private const double MacsPerDepthwise = 6,
        MacsPerOwnDepthwise = 4;

    /// <summary>Channels that kernels compute together at least: few of them take as long as all.</summary>
    private const int ChannelVector = 8;

    /// <summary>Reads a step.</summary>
    /// <param name="pair">The step.</param>
    /// <param name="map">Which of its terms is the map, 0 or 1.</param>
    /// <param name="options">Say which operands are parameters.</param>
    public static MapStep From(Pair pair, int map, PlanOptions options)
    {
        (IndexList x, IndexList w) = map == 0 ? (pair.Left, pair.Right) : (pair.Right, pair.Left);
        IndexList y = pair.Product;
        double free = 1,
            groups = 1,
            made = 1,
            summed = 1,
            places = 1,
            batch = 1;
        int transformable = 0,
            convolved = 0;
        for (int k = 0; k < x.Axes; k++)
        {
            (bool inX, bool inW, bool inY) = (x.Has(k), w.Has(k), y.Has(k));
            if (pair.Algebra.IsConvolved(k))
            {
                // A transposed convolution multiplies for every value that it spreads: the map's index runs against the window there.
                bool spreads = inX && x[k].Scale < 0;
                places *= Math.Max(1, spreads || !inY ? x[k].Extent : y[k].Extent);
                if (!pair.Convolves(k))
                    continue;
                convolved++;
                if (w[k].Extent == 3 && Math.Abs(x[k].Scale) == 1 && Math.Abs(y[k].Scale) == 1 && Math.Abs(w[k].Scale) == 1)
                    transformable++;
            }
            else if (inX && inY && !inW)
            {
                if (IsChannel(pair.Algebra, k, options))
                    free *= x[k].Extent;
                else
                    batch *= x[k].Extent;
            }
            else if (inX && inW && inY)
                groups *= x[k].Extent;
            else if (inX && inW)
                summed *= x[k].Extent;
            else if (inW && inY)
                made *= y[k].Extent;
        }
        return new(
            batch * free * w.Size * places,
            summed,
            made,
            x.Size,
            y.Size,
            free,
            transformable == 2 && convolved == 2 && summed > 1 && groups == 1
        );
    }

    /// <summary>How long it takes on one thread; without end where channels may not be moved, and it moves them.</summary>
    public double Seconds(PlanOptions options)
    {
        bool moves = Free > 1;
        if (moves && !options.MovesChannels)
            return double.PositiveInfinity;
        double moved = moves ? MacsPerMove * (Read + Written) : 0;
        bool isDepthwise = Summed == 1 && Made == 1 && Macs > Written;
        if (options.Goal == PlanGoal.Forward)
            return options.Cost.Mac * (Macs * (isDepthwise ? MacsPerDepthwise : 1) + MacsPerWrite * Written + moved);
        // Our executor computes planes of 3×3 transformed where that is faster. The way back is two more steps of the same extents.
        double arithmetic = isDepthwise
            ? Macs * MacsPerOwnDepthwise
            : Macs
                * Math.Ceiling(Made / ChannelVector)
                * ChannelVector
                / Made
                * (IsTransformable ? ConvolutionChoice.Share((int)Summed, (int)Made) : 1);
        return 3 * options.Cost.Mac * (arithmetic + MacsPerWrite * Written + moved);
    }

    /// <summary>Whether an axis is one of channels: one that some parameter has.</summary>
    private static bool IsChannel(Algebra algebra, int axis, PlanOptions options)
    {
        for (int i = 0; i < algebra.Operands.Length; i++)
            if (options.IsParameter(i) && algebra.Operands[i].Has(axis))
                return true;
        return false;
    }
}
