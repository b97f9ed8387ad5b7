namespace Tensorial;

/// <summary>Distributions that <see cref="Random"/> does not have.</summary>
internal static class RandomNumbers
{
    /// <summary>A number from the normal distribution of mean 0 and variance 1 (Box and Muller 1958).</summary>
    public static double NextNormal(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
