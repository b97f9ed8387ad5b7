using System.Numerics;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// B = L diag(s) R of an upper bidiagonal B by implicit QR steps, with shift 0 where a shift would spoil small values
/// (Demmel and Kahan, SIAM J. Sci. Stat. Comput. 11, 1990).
/// </summary>
internal sealed class BidiagonalSvd<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double Epsilon = 2.220446049250313e-16;
    private const double Tolerance = 16 * Epsilon;
    private const int MaximalSweepsPerValue = 60;

    private readonly double[] _d,
        _e,
        _cosines,
        _sines,
        _otherCosines,
        _otherSines;
    private readonly RotatedRows<T> _left,
        _right;
    private (int First, int Last) _block = (0, -1);
    private bool _down;

    private BidiagonalSvd(double[] d, double[] e, RotatedRows<T> left, RotatedRows<T> right)
    {
        (_d, _e, _left, _right) = (d, e, left, right);
        (_cosines, _sines, _otherCosines, _otherSines) = (
            new double[d.Length],
            new double[d.Length],
            new double[d.Length],
            new double[d.Length]
        );
    }

    /// <summary>
    /// Turns d into the singular values, unordered and of any sign, and applies Lᵀ to the rows of <paramref name="left"/>, R to those of
    /// <paramref name="right"/>.
    /// </summary>
    /// <param name="d">The diagonal, [n]; holds the values afterwards.</param>
    /// <param name="e">The diagonal above it, [n - 1]; destroyed.</param>
    /// <param name="left">Qᵀ, if A = Q B Pᵀ; becomes Uᵀ.</param>
    /// <param name="right">Pᵀ; becomes Vᵀ.</param>
    public static void Solve(double[] d, double[] e, RotatedRows<T> left, RotatedRows<T> right)
    {
        BidiagonalSvd<T> svd = new(d, e, left, right);
        svd.Iterate();
        left.Flush();
        right.Flush();
    }

    private void Iterate()
    {
        double largest = 0;
        foreach (double value in _d)
            largest = Math.Max(largest, Math.Abs(value));
        foreach (double value in _e)
            largest = Math.Max(largest, Math.Abs(value));
        // Far below any relative criterion; only ends what underflow would stall.
        double floor = largest * 1e-290;
        int last = _d.Length - 1;
        for (long sweeps = 0, limit = (long)MaximalSweepsPerValue * _d.Length; last > 0; sweeps++)
        {
            if (sweeps > limit)
                throw new NumericalException($"Implicit QR did not converge on a bidiagonal matrix of {_d.Length} rows in {limit} sweeps.");
            int first = last;
            while (first > 0 && Math.Abs(_e[first - 1]) > floor)
                first--;
            if (first == last)
                last--;
            else
                Step(first, last);
        }
    }

    /// <summary>Sets what is negligible in the unreduced block to zero, or else sweeps over it once.</summary>
    private void Step(int first, int last)
    {
        // Towards the smaller end, where values converge. Upwards is downwards on the block read from its end, with left and right
        // exchanged. The direction is kept while a block shrinks: turning round would undo the convergence so far.
        if (first > _block.Last || last < _block.First)
            _down = Math.Abs(_d[first]) >= Math.Abs(_d[last]);
        _block = (first, last);
        bool down = _down;
        Span<double> d = _d.AsSpan(first, last - first + 1),
            e = _e.AsSpan(first, last - first);
        if (!down)
        {
            d.Reverse();
            e.Reverse();
        }
        if (!Deflate(d, e, out double smallest))
        {
            double shift = Shift(d, e, smallest);
            if (shift == 0)
                SweepWithoutShift(d, e);
            else
                SweepWithShift(d, e, shift);
            int steps = e.Length,
                start = down ? first : last,
                step = down ? 1 : -1;
            (RotatedRows<T> own, RotatedRows<T> other) = down ? (_right, _left) : (_left, _right);
            own.Rotate(start, step, _cosines.AsSpan(0, steps), _sines.AsSpan(0, steps));
            other.Rotate(start, step, _otherCosines.AsSpan(0, steps), _otherSines.AsSpan(0, steps));
        }
        if (!down)
        {
            d.Reverse();
            e.Reverse();
        }
    }

    /// <summary>
    /// Demmel and Kahan's criterion: e_i is negligible beside a lower bound on the smallest singular value of the part before it. That of
    /// the whole block is returned.
    /// </summary>
    private static bool Deflate(Span<double> d, Span<double> e, out double smallest)
    {
        bool any = false;
        double bound = smallest = Math.Abs(d[0]);
        if (Math.Abs(e[^1]) <= Tolerance * Math.Abs(d[^1]))
        {
            e[^1] = 0;
            return true;
        }
        for (int i = 0; i < e.Length; i++)
        {
            if (Math.Abs(e[i]) <= Tolerance * bound)
            {
                e[i] = 0;
                any = true;
            }
            bound = Math.Abs(d[i + 1]) * (bound / (bound + Math.Abs(e[i])));
            if (double.IsNaN(bound))
                bound = 0;
            smallest = Math.Min(smallest, bound);
        }
        return any;
    }

    /// <summary>The smaller singular value of the last two rows, or 0 if a shift of that size would cost relative accuracy.</summary>
    private static double Shift(ReadOnlySpan<double> d, ReadOnlySpan<double> e, double smallest)
    {
        double largest = 0;
        foreach (double value in d)
            largest = Math.Max(largest, Math.Abs(value));
        foreach (double value in e)
            largest = Math.Max(largest, Math.Abs(value));
        if (d.Length * Tolerance * (smallest / largest) <= Math.Max(Epsilon, 0.01 * Tolerance) * Epsilon)
            return 0;
        double shift = SmallerOfPair(Math.Abs(d[^2]), Math.Abs(e[^1]), Math.Abs(d[^1]));
        double ratio = shift / Math.Abs(d[0]);
        return ratio * ratio < Epsilon || d[0] == 0 ? 0 : shift;
    }

    /// <summary>The smaller singular value of [f g; 0 h], all of them nonnegative, from f h = product of both.</summary>
    private static double SmallerOfPair(double f, double g, double h)
    {
        double sum = Math.Sqrt((f + h) * (f + h) + g * g),
            difference = Math.Sqrt((f - h) * (f - h) + g * g),
            large = (sum + difference) / 2;
        return large == 0 ? 0 : Math.Min(f, h) * (Math.Max(f, h) / large);
    }

    private void SweepWithShift(Span<double> d, Span<double> e, double shift)
    {
        double f = (Math.Abs(d[0]) - shift) * (Math.CopySign(1, d[0]) + shift / d[0]),
            g = e[0];
        for (int i = 0; i < e.Length; i++)
        {
            (double c, double s) = PlaneRotation.Annihilating(f, g, out double r);
            (_cosines[i], _sines[i]) = (c, s);
            if (i > 0)
                e[i - 1] = r;
            f = c * d[i] + s * e[i];
            e[i] = c * e[i] - s * d[i];
            g = s * d[i + 1];
            d[i + 1] *= c;
            (c, s) = PlaneRotation.Annihilating(f, g, out d[i]);
            (_otherCosines[i], _otherSines[i]) = (c, s);
            f = c * e[i] + s * d[i + 1];
            d[i + 1] = c * d[i + 1] - s * e[i];
            if (i + 1 == e.Length)
                break;
            g = s * e[i + 1];
            e[i + 1] *= c;
        }
        e[^1] = f;
    }

    private void SweepWithoutShift(Span<double> d, Span<double> e)
    {
        double c = 1,
            s = 0,
            otherC = 1,
            otherS = 0;
        for (int i = 0; i < e.Length; i++)
        {
            (c, s) = PlaneRotation.Annihilating(d[i] * c, e[i], out double r);
            (_cosines[i], _sines[i]) = (c, s);
            if (i > 0)
                e[i - 1] = otherS * r;
            (otherC, otherS) = PlaneRotation.Annihilating(otherC * r, d[i + 1] * s, out d[i]);
            (_otherCosines[i], _otherSines[i]) = (otherC, otherS);
        }
        double end = d[^1] * c;
        d[^1] = end * otherC;
        e[^1] = end * otherS;
    }
}
