namespace Tensorial.LinearAlgebra;

/// <summary>
/// Singular values of an upper bidiagonal matrix to high relative accuracy, by the differential quotient-difference algorithm with shifts
/// (dqds; Fernando and Parlett, Numer. Math. 67, 1994).
/// </summary>
/// <remarks>
/// The unknowns are the squares q = d² and e of the entries. Each transform yields those of the matrix whose squared singular values are
/// all smaller by the shift. The shift is Laguerre's lower bound on the smallest of them, from the traces of (BᵀB)⁻¹ and (BᵀB)⁻², whose
/// recurrences have no subtractions and run beside the transform in the shadow of its divisions. So a shift is almost never too large, and
/// convergence to the smallest value is cubic.
/// </remarks>
internal static class BidiagonalValues
{
    private const double Epsilon = 2.220446049250313e-16;

    // An e below this part of its neighbours moves no singular value by more than a few roundings.
    private const double Negligible = 64 * Epsilon * Epsilon;

    /// <summary>All singular values, descending. Entries should be of moderate scale: their squares must not overflow.</summary>
    public static double[] Of(ReadOnlySpan<double> diagonal, ReadOnlySpan<double> superDiagonal)
    {
        int n = diagonal.Length;
        Arrays current = new(new double[n], new double[n]),
            other = new(new double[n], new double[n]);
        for (int i = 0; i < n; i++)
            current.Q[i] = diagonal[i] * diagonal[i];
        for (int i = 0; i + 1 < n; i++)
            current.E[i] = superDiagonal[i] * superDiagonal[i];
        double[] squares = new double[n];
        Solve(current, other, 0, n - 1, default, squares);
        Array.Sort(squares);
        Array.Reverse(squares);
        for (int i = 0; i < n; i++)
            squares[i] = Math.Sqrt(squares[i]);
        return squares;
    }

    private readonly record struct Arrays(double[] Q, double[] E);

    /// <summary>What has been shifted off so far, with the rounding that the sum has lost.</summary>
    private readonly record struct Shifted(double Sum, double Lost)
    {
        public double Value => Sum + Lost;

        public Shifted Plus(double shift)
        {
            double sum = Sum + shift;
            return new(sum, Lost + (Sum >= shift ? Sum - sum + shift : shift - sum + Sum));
        }
    }

    /// <summary>Writes the eigenvalues of the block first..last to the same places of <paramref name="squares"/>.</summary>
    private static void Solve(Arrays current, Arrays other, int first, int last, Shifted shifted, double[] squares)
    {
        if (last > first && current.Q[first] * 1.5 < current.Q[last])
            Reverse(current, first, last);
        Bounds bounds = default;
        for (int transforms = 0, limit = 100 * (last - first + 10); ; transforms++)
        {
            last = Deflate(current, first, last, shifted, squares);
            if (last < first)
                return;
            int split = FindSplit(current, first, last, shifted.Value);
            if (split >= 0)
            {
                // The shorter part by recursion, so that the depth stays logarithmic.
                bool leftIsShorter = split - first < last - split - 1;
                Solve(current, other, leftIsShorter ? first : split + 1, leftIsShorter ? split : last, shifted, squares);
                (first, last) = leftIsShorter ? (split + 1, last) : (first, split);
                bounds = default;
                continue;
            }
            if (transforms > limit)
                throw new NumericalException(
                    $"dqds did not converge on a bidiagonal block of {last - first + 1} rows in {limit} transforms."
                );

            double shift = bounds.Shift(last - first + 1);
            if (shift < Epsilon / 8 * shifted.Sum)
                shift = 0;
            shift = Transform(current, other, first, last, shift, shifted.Sum, out bounds);
            shifted = shifted.Plus(shift);
            (current, other) = (other, current);
        }
    }

    /// <summary>The traces S₁ and S₂ of the inverse and of its square.</summary>
    private readonly record struct Bounds(double Inverse, double InverseSquare)
    {
        /// <summary>
        /// Laguerre's lower bound on the smallest of <paramref name="count"/> eigenvalues, lowered by the rounding of the sums; 0 if
        /// unknown.
        /// </summary>
        public double Shift(int count)
        {
            if (!(Inverse > 0) || double.IsInfinity(Inverse))
                return 0;
            double bound = 1 / Inverse;
            double variance = (count - 1) * (count * InverseSquare - Inverse * Inverse);
            if (double.IsFinite(variance))
                bound = count / (Inverse + Math.Sqrt(Math.Max(0, variance)));
            return bound * (1 - 4 * Epsilon * count);
        }
    }

    /// <summary>Splits off values at the end of the block while the entry beside them is negligible; returns the new last index.</summary>
    private static int Deflate(Arrays current, int first, int last, Shifted shifted, double[] squares)
    {
        (double[] q, double[] e) = current;
        while (last >= first)
        {
            if (last == first || e[last - 1] <= Negligible * (shifted.Sum + q[last]))
            {
                squares[last] = Math.Max(0, q[last] + shifted.Lost + shifted.Sum);
                last--;
            }
            else if (last == first + 1 || e[last - 2] <= Negligible * (shifted.Sum + q[last - 1]))
            {
                (double large, double small) = Pair(q[last - 1], e[last - 1], q[last]);
                squares[last - 1] = large + shifted.Lost + shifted.Sum;
                squares[last] = Math.Max(0, small + shifted.Lost + shifted.Sum);
                last -= 2;
            }
            else
            {
                break;
            }
        }
        return last;
    }

    /// <summary>Both eigenvalues of a block of two rows, the small one through the product, which loses nothing.</summary>
    private static (double Large, double Small) Pair(double q1, double e, double q2)
    {
        double difference = q1 - q2 + e,
            large = (q1 + q2 + e + Math.Sqrt(difference * difference + 4 * q2 * e)) / 2;
        return large == 0 ? (0, 0) : (large, q1 * (q2 / large));
    }

    private static int FindSplit(Arrays current, int first, int last, double shifted)
    {
        (double[] q, double[] e) = current;
        for (int i = last - 1; i >= first; i--)
            if (e[i] <= Negligible * Math.Max(shifted, Math.Min(q[i], q[i + 1])))
                return i;
        return -1;
    }

    /// <summary>The same matrix read from its other end; values come out at the end where the entries are small.</summary>
    private static void Reverse(Arrays current, int first, int last)
    {
        Array.Reverse(current.Q, first, last - first + 1);
        Array.Reverse(current.E, first, last - first);
    }

    /// <summary>Writes the transform by the largest shift that works, at most <paramref name="shift"/>, and returns that shift.</summary>
    private static double Transform(Arrays from, Arrays to, int first, int last, double shift, double shifted, out Bounds bounds)
    {
        for (int attempt = 0; shift > 0; attempt++)
        {
            (double smallestBefore, double end) = Sweep(from, to, first, last, shift, out bounds);
            if (smallestBefore >= 0 && end >= 0)
                return shift;
            if (smallestBefore > 0 && end >= -Epsilon * (shifted + shift))
            {
                // The shift is the value itself, to the last bit.
                to.Q[last] = 0;
                bounds = default;
                return shift;
            }
            // Where only the last pivot is negative, the shift plus that pivot is a lower bound again.
            shift =
                attempt < 2 && smallestBefore > 0 && shift + end > 0 ? (shift + end) * (1 - 2 * Epsilon)
                : attempt < 4 ? shift / 4
                : 0;
        }
        SweepWithoutShift(from, to, first, last);
        bounds = Traces(to, first, last);
        return 0;
    }

    /// <summary>
    /// One transform; returns the smallest pivot before the last, and the last. A NaN makes both comparisons with zero fail.
    /// </summary>
    private static (double SmallestBefore, double Last) Sweep(Arrays from, Arrays to, int first, int last, double shift, out Bounds bounds)
    {
        ReadOnlySpan<double> q = from.Q.AsSpan(first, last - first + 1),
            e = from.E.AsSpan(first, q.Length);
        Span<double> newQ = to.Q.AsSpan(first, q.Length),
            newE = to.E.AsSpan(first, q.Length);
        double d = q[0] - shift,
            smallest = double.PositiveInfinity;
        double column = 0,
            offDiagonal = 0,
            previous = 0,
            inverse = 0,
            inverseSquare = 0;
        for (int i = 0; i + 1 < q.Length; i++)
        {
            smallest = d < smallest || double.IsNaN(d) ? d : smallest;
            double sum = d + e[i],
                ratio = q[i + 1] / sum,
                reciprocal = 1 / sum;
            newQ[i] = sum;
            // The traces of the new matrix, one row behind: c = (1 + e c) / q and p = e (c² + p) / q.
            double coupling = previous * reciprocal;
            offDiagonal = coupling * (column * column + offDiagonal);
            column = reciprocal + coupling * column;
            inverse += column;
            inverseSquare += column * column + 2 * offDiagonal;
            newE[i] = previous = e[i] * ratio;
            d = d * ratio - shift;
        }
        newQ[^1] = d;
        double end = 1 / d,
            link = previous * end;
        offDiagonal = link * (column * column + offDiagonal);
        column = end + link * column;
        bounds = new(inverse + column, inverseSquare + column * column + 2 * offDiagonal);
        return (smallest, d);
    }

    /// <summary>The transform by 0. No subtraction, so that nothing can go wrong; zeros on the diagonal move to the end.</summary>
    private static void SweepWithoutShift(Arrays from, Arrays to, int first, int last)
    {
        double d = from.Q[first];
        for (int i = first; i < last; i++)
        {
            double sum = d + from.E[i];
            to.Q[i] = sum;
            if (sum == 0)
            {
                to.E[i] = 0;
                d = from.Q[i + 1];
                continue;
            }
            double ratio = from.Q[i + 1] / sum;
            to.E[i] = from.E[i] * ratio;
            d *= ratio;
        }
        to.Q[last] = d;
    }

    private static Bounds Traces(Arrays arrays, int first, int last)
    {
        double column = 0,
            offDiagonal = 0,
            inverse = 0,
            inverseSquare = 0;
        for (int i = first; i <= last; i++)
        {
            double reciprocal = 1 / arrays.Q[i],
                coupling = i > first ? arrays.E[i - 1] * reciprocal : 0;
            offDiagonal = coupling * (column * column + offDiagonal);
            column = reciprocal + coupling * column;
            inverse += column;
            inverseSquare += column * column + 2 * offDiagonal;
        }
        return new(inverse, inverseSquare);
    }
}
