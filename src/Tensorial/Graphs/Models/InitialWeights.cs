namespace Tensorial.Graphs;

/// <summary>What weights are before they have learnt anything.</summary>
internal static class InitialWeights
{
    /// <summary>A convolution's kernel: normal, variance 2 / fan-out (He et al. 2015), as residual networks are trained.</summary>
    /// <param name="shape">Its extents.</param>
    /// <param name="fanOut">Output values that one input value reaches.</param>
    /// <param name="random">Decides the numbers.</param>
    public static Tensor<float> Kernel(Shape shape, int fanOut, Random random) => Normal(shape, Math.Sqrt(2.0 / fanOut), random);

    /// <summary>A dense layer's matrix: even in ± 1 / √inputs.</summary>
    public static Tensor<float> Matrix(Shape shape, int inputs, Random random)
    {
        double bound = 1 / Math.Sqrt(inputs);
        return Drawn(shape, () => bound * (2 * random.NextDouble() - 1));
    }

    /// <summary>Numbers of a normal distribution about 0.</summary>
    public static Tensor<float> Normal(Shape shape, double deviation, Random random) => Drawn(shape, () => deviation * random.NextNormal());

    private static Tensor<float> Drawn(Shape shape, Func<double> draw)
    {
        Tensor<float> tensor = new(shape);
        foreach (ref float value in tensor.Values)
            value = (float)draw();
        return tensor;
    }
}
