using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

public class CutTests
{
    [Theory]
    [InlineData("oihw", "o|ihw i|ohw h|oiw w|oih oi|hw oh|iw ow|ih")]
    [InlineData("iohw", "o|ihw i|ohw h|oiw w|oih oi|hw oh|iw ow|ih")]
    [InlineData("oi", "o|i")]
    [InlineData("io", "o|i")]
    [InlineData("oiw", "o|iw i|ow w|oi")]
    [InlineData("o", "")]
    [InlineData("oidhw", "o|idhw i|odhw d|oihw h|oidw w|oidh oi|dhw od|ihw oh|idw ow|idh id|ohw ih|odw iw|odh dh|oiw dw|oih hw|oid")]
    public void All_bipartitions_in_their_customary_names(string axes, string cuts) => Assert.Equal(cuts, string.Join(' ', Cut.All(axes)));

    [Theory]
    [InlineData("o|ihw", "o|ihw")]
    [InlineData("ihw|o", "o|ihw")]
    [InlineData("whi|o", "o|ihw")]
    [InlineData("wi|ho", "oh|iw")]
    [InlineData(" hw | io ", "oi|hw")]
    public void Sides_and_axes_may_come_in_any_order(string text, string canonical)
    {
        Assert.Equal(canonical, Cut.Parse(text).ToString());
        Assert.Equal(Cut.Parse(canonical), Cut.Parse(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("oihw")]
    [InlineData("|oihw")]
    [InlineData("o|i|hw")]
    [InlineData("o|oi")]
    [InlineData("oo|i")]
    [InlineData("O|I")]
    [InlineData("0|1")]
    public void What_is_no_cut_is_refused(string text) => Assert.Throws<BadInputException>(() => Cut.Parse(text));

    [Theory]
    [InlineData("o|ihw", "i|ohw", false)]
    [InlineData("o|ihw", "oi|hw", false)]
    [InlineData("oi|hw", "oi|hw", false)]
    [InlineData("oi|hw", "oh|iw", true)]
    [InlineData("oh|iw", "ow|ih", true)]
    public void Cuts_cross_when_neither_side_holds_the_other(string one, string other, bool crossing)
    {
        Assert.Equal(crossing, Cut.Parse(one).Crosses(Cut.Parse(other)));
        Assert.Equal(crossing, Cut.Parse(other).Crosses(Cut.Parse(one)));
    }

    [Theory]
    [InlineData("o|ihw", "oi", "o|i")]
    [InlineData("oh|iw", "oi", "o|i")]
    [InlineData("h|oiw", "oi", null)]
    [InlineData("ow|ih", "oiw", "i|ow")]
    public void Missing_axes_count_as_extent_one(string cut, string axes, string? among) =>
        Assert.Equal(among, Cut.Parse(cut).Among(axes)?.ToString());
}
