namespace Tensorial.LinearAlgebra;

/// <summary>c² + s² = 1</summary>
internal readonly record struct PlaneRotation(double Cosine, double Sine)
{
    /// <summary>The rotation with c f + s g = r and c g - s f = 0.</summary>
    public static PlaneRotation Annihilating(double f, double g, out double r)
    {
        if (g == 0)
        {
            r = f;
            return new(1, 0);
        }
        double scale = 1,
            square = f * f + g * g;
        // Squares of values below 2^-450 lose bits or vanish.
        if (square < 1e-270)
        {
            scale = Math.ScaleB(1, 500);
            (f, g) = (f * scale, g * scale);
            square = f * f + g * g;
        }
        double length = Math.Sqrt(square);
        if (f < 0)
            length = -length;
        r = length / scale;
        return new(f / length, g / length);
    }
}
