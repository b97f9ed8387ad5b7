using System.Numerics;

namespace Tensorial.Tests.LinearAlgebra;

/// <summary>The matrices that decompositions are tried on, by name.</summary>
internal static class Matrices
{
    public static readonly Dictionary<string, Func<Tensor<double>>> Table = new()
    {
        ["empty 0×0"] = () => new([0, 0]),
        ["no rows 0×3"] = () => new([0, 3]),
        ["no columns 4×0"] = () => new([4, 0]),
        ["scalar"] = () => new([1, 1], new double[] { -3 }),
        ["row 1×7"] = () => Random(1, 7, 1),
        ["column 9×1"] = () => Random(9, 1, 2),
        ["square 2"] = () => Random(2, 2, 3),
        ["square 16"] = () => Random(16, 16, 3),
        ["square 33"] = () => Random(33, 33, 4),
        ["square 100"] = () => Random(100, 100, 5),
        ["square 257"] = () => Random(257, 257, 6),
        ["tall 70×64"] = () => Random(70, 64, 7),
        ["tall 300×40"] = () => Random(300, 40, 8),
        ["tall 20000×9"] = () => Random(20000, 9, 9),
        ["tall 5000×3"] = () => Random(5000, 3, 10),
        ["wide 40×300"] = () => Random(40, 300, 11),
        ["wide 3×2000"] = () => Random(3, 2000, 12),
        ["zero 12×9"] = () => new([12, 9]),
        ["identity 40"] = () => From(40, 40, (i, j) => i == j ? 1 : 0),
        ["ones 30×20"] = () => From(30, 20, (_, _) => 1),
        ["Hilbert 30"] = () => From(30, 30, (i, j) => 1.0 / (i + j + 1)),
        ["Kahan 60"] = () =>
            From(
                60,
                60,
                (i, j) =>
                    Math.Pow(Math.Sin(1.2), i)
                    * (
                        i == j ? 1
                        : i < j ? -Math.Cos(1.2)
                        : 0
                    )
            ),
        ["rank 5 of 80×60"] = () => Product(Random(80, 5, 13), Random(5, 60, 14)),
        ["graded 1 to 1e-14, 64"] = () => WithSpectrum(80, [.. Enumerable.Range(0, 64).Select(k => Math.Pow(10, -14.0 * k / 63))], 15),
        ["graded columns 50"] = () => Scaled(50, 50, 16, (_, j) => Math.Pow(10, -j / 2.0)),
        ["graded rows, growing, 50"] = () => Scaled(50, 50, 17, (i, _) => Math.Pow(10, (i - 50) / 2.0)),
        ["repeated values 48"] = () => WithSpectrum(48, [.. Enumerable.Range(0, 48).Select(k => 1.0 + k / 16)], 18),
        ["one large value 64"] = () => WithSpectrum(64, [1e8, .. Enumerable.Repeat(1.0, 63)], 19),
        ["bidiagonal with zeros 40"] = () =>
            From(
                40,
                40,
                (i, j) =>
                    i == j ? (i % 7 == 3 ? 0 : 1 + i)
                    : j == i + 1 && i % 5 != 2 ? 1
                    : 0
            ),
        ["upper of ones 50"] = () => From(50, 50, (i, j) => i <= j ? 1 : 0),
        ["huge 20×15"] = () => Scaled(20, 15, 20, (_, _) => 1e300),
        ["tiny 20×15"] = () => Scaled(20, 15, 21, (_, _) => 1e-300),
        ["subnormal 6×5"] = () => Scaled(6, 5, 22, (_, _) => 1e-315),
    };

    public static TheoryData<string> Names => [.. Table.Keys];

    public static Tensor<double> From(int rows, int columns, Func<int, int, double> value)
    {
        Tensor<double> a = new([rows, columns]);
        for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            a.Values[i * columns + j] = value(i, j);
        return a;
    }

    public static Tensor<double> Random(int rows, int columns, int seed)
    {
        Random random = new(seed);
        return From(
            rows,
            columns,
            (_, _) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
        );
    }

    private static Tensor<double> Scaled(int rows, int columns, int seed, Func<int, int, double> factor)
    {
        Tensor<double> a = Random(rows, columns, seed);
        return From(rows, columns, (i, j) => a.Values[i * columns + j] * factor(i, j));
    }

    /// <summary>
    /// A matrix [rows, count] whose singular values are the given ones up to rounding: random reflections on both sides of the diagonal.
    /// </summary>
    public static Tensor<double> WithSpectrum(int rows, double[] values, int seed)
    {
        Tensor<double> a = From(rows, values.Length, (i, j) => i == j ? values[j] : 0);
        for (int pass = 0; pass < 3; pass++)
        {
            a = Transposed(Reflected(a, seed + 2 * pass));
            a = Transposed(Reflected(a, seed + 2 * pass + 1));
        }
        return a;
    }

    private static Tensor<double> Reflected(Tensor<double> a, int seed)
    {
        (int rows, int columns) = (a.Shape[0], a.Shape[1]);
        Tensor<double> v = Random(rows, 1, seed),
            dots = Product(v.Transposed(), a),
            square = Product(v.Transposed(), v);
        return From(rows, columns, (i, j) => a.Values[i * columns + j] - 2 * v.Values[i] * dots.Values[j] / square.Values[0]);
    }

    public static Tensor<T> To<T>(this Tensor<double> a)
        where T : unmanaged, INumber<T> => new(a.Shape, a.Values.ToArray().Select(T.CreateChecked).ToArray());

    public static Tensor<double> ToDouble<T>(this Tensor<T> a)
        where T : unmanaged, INumber<T> => new(a.Shape, a.Values.ToArray().Select(double.CreateChecked).ToArray());

    public static Tensor<double> Transposed(this Tensor<double> a)
    {
        double[] values = a.Values.ToArray();
        return From(a.Shape[1], a.Shape[0], (i, j) => values[j * a.Shape[1] + i]);
    }

    public static Tensor<double> Product(Tensor<double> a, Tensor<double> b)
    {
        (int m, int k, int n) = (a.Shape[0], a.Shape[1], b.Shape[1]);
        Tensor<double> c = new([m, n]);
        Span<double> av = a.Values,
            bv = b.Values,
            cv = c.Values;
        for (int i = 0; i < m; i++)
        for (int p = 0; p < k; p++)
        for (int j = 0; j < n; j++)
            cv[i * n + j] += av[i * k + p] * bv[p * n + j];
        return c;
    }

    /// <summary>
    /// ||a - b||_F, in multiples of the largest magnitude of either (so that huge and tiny matrices neither overflow nor vanish).
    /// </summary>
    public static double Distance(Tensor<double> a, Tensor<double> b)
    {
        Assert.Equal(a.Shape, b.Shape);
        double scale = Math.Max(Largest(a), Largest(b)),
            sum = 0;
        if (scale == 0)
            return 0;
        Span<double> av = a.Values,
            bv = b.Values;
        for (int i = 0; i < av.Length; i++)
        {
            double difference = av[i] / scale - bv[i] / scale;
            sum += difference * difference;
        }
        return Math.Sqrt(sum);
    }

    /// <summary>||QᵀQ - I||_F</summary>
    public static double Skewness(Tensor<double> q) =>
        Distance(Product(q.Transposed(), q), From(q.Shape[1], q.Shape[1], (i, j) => i == j ? 1 : 0));

    /// <summary>
    /// What rounding to multiples of the smallest double does to a matrix, in the same measure; zero for all but subnormal ones.
    /// </summary>
    public static double Grain(Tensor<double> a) =>
        Largest(a) is > 0 and double largest ? 4 * double.Epsilon / largest * Math.Sqrt(a.Shape.ElementCount) : 0;

    private static double Largest(Tensor<double> a)
    {
        double largest = 0;
        foreach (double value in a.Values)
            largest = Math.Max(largest, Math.Abs(value));
        return largest;
    }
}
