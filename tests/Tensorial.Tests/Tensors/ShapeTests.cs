namespace Tensorial.Tests;

public class ShapeTests
{
    [Fact]
    public void Extents_make_the_count()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal(24, shape.ElementCount);
        Assert.Equal([12, 4, 1], shape.Strides());
    }

    [Fact]
    public void A_shape_that_overflows_is_refused() => Assert.Throws<ShapeException>(() => Shape.From(65536, 65536, 65536, 65536));

    [Fact]
    public void The_compiler_counts_axes_not_values()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal(4, shape[^1]);
        Assert.Equal([9, 2, 3, 4], (int[])[9, .. shape]);
        Assert.True(shape is [2, _, _]);
        Assert.False(shape is [2, 3, 4, _]);
    }
}
