namespace Tensorial.Compression;

/// <summary>
/// The damage of a layer as a function of the relative error of its answers: log d = a + b log e + c (log e)², fitted to measurements by
/// least squares. Whatever the format, it is the error that does the damage; single measurements scatter, and choosing the least of many
/// would choose the luckiest.
/// </summary>
internal sealed class SensitivityCurve
{
    /// <summary>Errors and damages below this are rounding.</summary>
    private const double Least = 1e-9;

    private readonly double[] _terms;
    private readonly double _from,
        _to;

    /// <param name="measured">Errors and damages of some candidates of a layer.</param>
    public SensitivityCurve(IReadOnlyList<(double Error, double Damage)> measured)
    {
        (double X, double Y)[] points =
        [
            .. measured.Select(static point => (Math.Log(Math.Max(Least, point.Error)), Math.Log(Math.Max(Least, point.Damage)))),
        ];
        (_from, _to) = points.Length == 0 ? (0, 0) : (points.Min(static point => point.X), points.Max(static point => point.X));
        int terms = Math.Min(3, points.Select(static point => point.X).Distinct().Count());
        _terms = terms switch
        {
            // Damage is quadratic in small changes: the slope where a single measurement says none.
            0 => [0, 2],
            1 => [points.Average(static point => point.Y - 2 * point.X), 2],
            _ => LeastSquares(points, terms),
        };
    }

    /// <summary>The damage to expect at an error. Beyond what was measured the curve goes on straight.</summary>
    public double At(double error)
    {
        double x = Math.Log(Math.Max(Least, error)),
            inside = Math.Clamp(x, _from, _to);
        double value = _terms[0] + _terms[1] * inside + (_terms.Length > 2 ? _terms[2] * inside * inside : 0);
        double slope = Math.Max(0, _terms[1] + (_terms.Length > 2 ? 2 * _terms[2] * inside : 0));
        return Math.Exp(value + slope * (x - inside));
    }

    /// <summary>Coefficients of 1, x, x² by the normal equations, about the mean of x.</summary>
    private static double[] LeastSquares((double X, double Y)[] points, int terms)
    {
        double mean = points.Average(static point => point.X);
        double[] normal = new double[terms * terms],
            right = new double[terms];
        foreach ((double x, double y) in points)
            for (int row = 0; row < terms; row++)
            {
                right[row] += Math.Pow(x - mean, row) * y;
                for (int column = 0; column < terms; column++)
                    normal[row * terms + column] += Math.Pow(x - mean, row + column);
            }
        LinearAlgebra.Cholesky.OfRegularised<double>(normal, terms).SolveRows(right);
        // a + b (x - m) + c (x - m)² in powers of x.
        double curve = terms > 2 ? right[2] : 0;
        return terms > 2
            ? [right[0] - right[1] * mean + curve * mean * mean, right[1] - 2 * curve * mean, curve]
            : [right[0] - right[1] * mean, right[1]];
    }
}
