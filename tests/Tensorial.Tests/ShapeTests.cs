namespace Tensorial.Tests;

public class ShapeTests
{
    [Fact]
    public void Extents_make_the_count() => Assert.Equal(24, ((Shape)[2, 3, 4]).Count);
}
