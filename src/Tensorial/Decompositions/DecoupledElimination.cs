using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// In which order the filters of a kernel's input channels are best given up where a covariance couples the channels: what one channel's
/// singular values hold, others may hold too. From all filters on, again and again the one goes without which the best mix of the rest makes the
/// least error, ‖p‖² / (G⁻¹)ₙₙ for its column p of the mix and the filters' Gram matrix G (B. Hassibi and D. Stork, NIPS 5, 1993); after
/// every few the others are fitted again.
/// </summary>
internal static class DecoupledElimination
{
    /// <summary>The part of the filters that stays between two fits.</summary>
    private const double Kept = 0.85;

    /// <summary>
    /// For each channel and rank, from 1 on, how late it is given up: falling, as squared singular values do, so that one threshold over all
    /// channels sets their ranks.
    /// </summary>
    public static double[][] Times(ReadOnlySpan<double> kernel, Tensor<double> covariance, int outputs, int inputs, int taps)
    {
        int most = Math.Min(outputs, taps);
        double[][] times = [.. Enumerable.Range(0, inputs).Select(_ => new double[most])];
        DecoupledInput fit = new(kernel, covariance, outputs, inputs, taps, [.. Enumerable.Repeat(most, inputs)]);
        fit.StartFromChannels();
        int count = inputs * most,
            time = 1;
        while (count > 1)
        {
            int next = Math.Max(1, (int)(Kept * count));
            (Tensor<double> normal, Tensor<double> mix) = fit.SolveMix();
            List<(int Channel, int Filter)> places = [.. fit.Places];
            List<(int Channel, int Filter)> dropped = [.. Dropped(normal, mix, count - next).Select(place => places[place])];
            int[] ranks = [.. fit.Ranks];
            foreach ((int channel, _) in dropped)
                times[channel][--ranks[channel]] = time++;
            fit.Drop(dropped);
            count = next;
            fit.SolveMix();
            fit.Sweep();
        }
        // The last one.
        for (int channel = 0; channel < inputs; channel++)
            if (fit.Ranks[channel] > 0)
                times[channel][0] = time;
        return times;
    }

    /// <summary>Places of the columns of the mix that are given up, one after another.</summary>
    private static List<int> Dropped(Tensor<double> normal, Tensor<double> mix, int count)
    {
        int n = normal.Shape[0],
            outputs = mix.Shape[0];
        Tensor<double> identity = new([n, n]);
        for (int k = 0; k < n; k++)
            identity.Values[k * n + k] = 1;
        double[] inverse = NormalEquations.Solve(normal, identity, Workers.Serial).Values.ToArray(),
            columns = new double[n * outputs];
        for (int o = 0; o < outputs; o++)
        for (int k = 0; k < n; k++)
            columns[k * outputs + o] = mix.Values[o * n + k];
        List<int> left = [.. Enumerable.Range(0, n)],
            dropped = [];
        while (dropped.Count < count)
        {
            int worst = left.MinBy(k => TensorPrimitives.SumOfSquares<double>(columns.AsSpan(k * outputs, outputs)) / inverse[k * n + k]);
            double own = inverse[worst * n + worst];
            double[] row = inverse[(worst * n)..((worst + 1) * n)],
                column = columns[(worst * outputs)..((worst + 1) * outputs)];
            left.Remove(worst);
            dropped.Add(worst);
            foreach (int k in left)
            {
                double part = -row[k] / own;
                Span<double> mine = columns.AsSpan(k * outputs, outputs),
                    others = inverse.AsSpan(k * n, n);
                TensorPrimitives.MultiplyAdd<double>(column, part, mine, mine);
                TensorPrimitives.MultiplyAdd<double>(row, part, others, others);
            }
        }
        return dropped;
    }
}
