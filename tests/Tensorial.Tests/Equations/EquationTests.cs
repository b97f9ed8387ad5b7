using FsCheck.Fluent;
using Tensorial.Equations;

namespace Tensorial.Tests.Equations;

public class EquationTests
{
    [Fact]
    public void What_is_written_reads_back() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    Equation equation = RandomEquation.Of(seed).Equation;
                    Assert.Equal(equation, Equation.Parse(equation.ToString()));
                }
            )
            .Holds();

    [Theory]
    [InlineData("bshw, tshw -> bthw | hw", "bshw,tshw->bthw|hw")]
    [InlineData("b s1 s2 h w, t1 s1 s2 h w -> b t1 h w | h,w", "bs1s2hw,t1s1s2hw->bt1hw|hw")]
    [InlineData("(batch)(in)hw,(out)(in)hw->(batch)(out)hw|h w[stride=2]", "(batch)(in)hw,(out)(in)hw->(batch)(out)hw|hw[stride=2]")]
    [InlineData("nx,kx->nkx|x[pad=1:1, correlation circular]", "nx,kx->nkx|x[pad=1 circular]")]
    [InlineData("nxy,kxy->nkxy|x[pad=valid],y", "nxy,kxy->nkxy|x[pad=valid],y")]
    [InlineData("bk,kj", "bk,kj->bj")]
    [InlineData("...ij,jk", "...ij,jk->...ik")]
    [InlineData("(k)i,(j)i", "ki,ji->jk")]
    [InlineData(",a->a", ",a->a")]
    public void Texts_mean(string text, string meaning) => Assert.Equal(meaning, Equation.Parse(text).ToString());

    [Theory]
    [InlineData("ab,b1->a2", 7, "no operand has the output's 'a2'")]
    [InlineData("ab,bc->aca", 9, "the output names 'a' twice")]
    [InlineData("ab,bc->ac->d", 9, "more than one arrow")]
    [InlineData("a1b,?c->ac", 4, "'?' cannot stand here")]
    [InlineData("a-b", 1, "'-' cannot stand here")]
    [InlineData("......a->a", 3, "more than one '...'")]
    [InlineData("(in a,b->b", 0, "never closed")]
    [InlineData("(),b->b", 0, "needs a name")]
    [InlineData("(i?n),b->b", 2, "'?' cannot stand in a name")]
    [InlineData("nx,kx|x", 5, "its output written out")]
    [InlineData("nx,kx->nkx|", 11, "an axis to convolve is missing")]
    [InlineData("nx,kx->nkx|xx", 12, "'x' is convolved twice")]
    [InlineData("nx,kx->nkx|n", 11, "'n' is convolved, which takes two operands or more that have it, not 1")]
    [InlineData("nxx,kx->nkx|x", 2, "names 'x' twice")]
    [InlineData("nx,kx->nkx|x[step=2]", 13, "'step=2' is none of")]
    [InlineData("nx,kx->nkx|x[stride=0]", 20, "from 1 on")]
    [InlineData("nx,kx->nkx|x[pad=some]", 17, "padding is")]
    [InlineData("nx,kx->nkx|x[stride=2", 12, "bracket is never closed")]
    [InlineData("nx,kx->nkx|x y?", 13, "'y' is convolved, which takes two operands")]
    public void Errors_point_at_the_character(string text, int at, string reason)
    {
        BadInputException error = Assert.Throws<BadInputException>(() => Equation.Parse(text));
        string[] lines = error.Message.Split('\n');
        Assert.Contains(reason, lines[0], StringComparison.Ordinal);
        Assert.Equal($"  {text}", lines[1]);
        Assert.Equal($"  {new string(' ', at)}^", lines[2]);
    }

    [Theory]
    [InlineData("ab,bc->ac", "2,3;4,5", "axis 'b' of ab,bc->ac has the extent 3, and 4 in operand 1 of shape 4×5")]
    [InlineData("(in)b,b->b", "2,3;2", "axis 'b'")]
    [InlineData("a(in),(in)->a", "2,3;2", "axis 'in'")]
    [InlineData("ab,bc->ac", "2,3", "takes 2 operands, not 1")]
    [InlineData("ab,bc->ac", "2,3;3", "operand 1 of ab,bc->ac has 2 axes, not the shape 3")]
    [InlineData(
        "nx,kx->nkx|x[pad=valid]",
        "1,3;1,5",
        "axis 'x' of nx,kx->nkx|x[pad=valid]: kernels that reach over 5 values do not fit a signal of 3 with padding 0 and 0"
    )]
    [InlineData("nx,kx->nkx|x", "1,0;1,3", "'x'")]
    public void Shapes_that_do_not_fit_name_axis_and_operand(string text, string shapes, string part)
    {
        Shape[] parsed = [.. shapes.Split(';').Select(static shape => Shape.From([.. shape.Split(',').Select(int.Parse)]))];
        Assert.Contains(part, Assert.Throws<ShapeException>(() => Equation.Parse(text).Infer(parsed)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nihw,oihw->nohw|hw", "1,2,9,8;3,2,3,3", "1,3,9,8")]
    [InlineData("nihw,oihw->nohw|hw[stride=2]", "1,2,9,8;3,2,3,3", "1,3,5,4")]
    [InlineData("nihw,oihw->nohw|hw[pad=valid dilation=2]", "1,2,9,8;3,2,3,3", "1,3,5,4")]
    [InlineData("nx,kx->nkx|x[pad=full]", "1,9;1,3", "1,1,11")]
    [InlineData("x,x,x->x|x[pad=1:0]", "9;3;2", "7")]
    [InlineData("nx,kx->nk|x", "2,9;3,3", "2,3")]
    public void Windows_decide_extents(string text, string shapes, string result)
    {
        Shape[] parsed = [.. shapes.Split(';').Select(static shape => Shape.From([.. shape.Split(',').Select(int.Parse)]))];
        Assert.Equal(Shape.From([.. result.Split(',').Select(int.Parse)]), Equation.Parse(text).Infer(parsed));
    }
}
