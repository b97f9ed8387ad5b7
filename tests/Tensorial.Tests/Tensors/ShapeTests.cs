namespace Tensorial.Tests;

public class ShapeTests
{
    [Fact]
    public void Extents_make_the_count()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal(24, shape.Count);
        Assert.Equal([12, 4, 1], shape.Strides());
    }

    [Fact]
    public void A_shape_that_overflows_is_refused() =>
        Assert.Throws<ShapeException>(() => Shape.Of(65536, 65536, 65536, 65536));
}
