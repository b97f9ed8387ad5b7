using System.Xml.Linq;
using Tensorial.Reports;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Html;

namespace Tensorial.Tests.Reports;

public class ChartTests
{
    public static TheoryData<double[]> Values =>
        new()
        {
            new[] { 0.1, 0.93 },
            new[] { 0.9213, 0.9263 },
            new[] { -5.0, 1e6 },
            new[] { 0.5 },
            new double[0],
            new[] { 1e-9, 2e-9 },
            new[] { 0.0, 0.0 },
        };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_linear_scale_holds_its_values_between_round_ends(double[] values)
    {
        LinearScale scale = LinearScale.Around(values);
        Assert.True(scale.Low < scale.High);
        Assert.All(values, value => Assert.InRange(value, scale.Low, scale.High));
        Assert.InRange(scale.Ticks(5).Count, 2, 9);
        Assert.All(scale.Ticks(5), tick => Assert.InRange(tick, scale.Low - 1e-12, scale.High + (1e-9 * Math.Abs(scale.High))));
    }

    [Fact]
    public void Positions_run_from_low_to_high_and_stay_inside()
    {
        foreach (Scale scale in (Scale[])[new LinearScale(2, 4), new LogScale(1e-3, 1), new OrdinalScale(["a", "b", "c"])])
        {
            Assert.Equal(0, scale.Position(scale.Low), 1e-12);
            Assert.Equal(1, scale.Position(scale.High), 1e-12);
            Assert.Equal(0, scale.Position(scale.Low - 100));
            Assert.Equal(1, scale.Position(scale.High + 100));
        }
        Assert.Equal(2.0 / 3, new LogScale(1e-3, 1).Position(0.1), 1e-12);
        Assert.Equal(0, new LogScale(1e-3, 1).Position(0));
    }

    [Theory]
    [InlineData(1e-6, new[] { 1e-6, 1e-4, 1e-2, 1 })]
    [InlineData(1e-3, new[] { 1e-3, 1e-2, 1e-1, 1 })]
    [InlineData(0.1, new[] { 0.1, 0.2, 0.5, 1 })]
    public void Decades_get_few_ticks(double low, double[] ticks) =>
        Assert.Equal(ticks, new LogScale(low, 1).Ticks(5), static (a, b) => Math.Abs(a - b) < 1e-12 * b);

    [Fact]
    public void Thinning_keeps_the_ends_and_strays_no_farther_than_allowed()
    {
        const double tolerance = 0.5;
        List<(double X, double Y)> line =
        [
            .. Enumerable.Range(0, 2000).Select(static k => (X: k * 0.1, Y: (100 * Math.Exp(-k / 300.0)) + (5 * Math.Sin(k / 40.0)))),
        ];
        List<(double X, double Y)> thin = Thinning.Simplify(line, tolerance);
        Assert.Equal(line[0], thin[0]);
        Assert.Equal(line[^1], thin[^1]);
        Assert.InRange(thin.Count, 5, 100);
        int at = 0;
        foreach ((double x, double y) in line)
        {
            while (thin[at + 1].X < x)
                at++;
            double t = (x - thin[at].X) / (thin[at + 1].X - thin[at].X),
                onLine = thin[at].Y + (t * (thin[at + 1].Y - thin[at].Y));
            double slope = (thin[at + 1].Y - thin[at].Y) / (thin[at + 1].X - thin[at].X);
            Assert.InRange(Math.Abs(y - onLine) / Math.Sqrt(1 + (slope * slope)), 0, tolerance + 1e-9);
        }
    }

    [Fact]
    public void Thinning_a_straight_line_leaves_its_ends() =>
        Assert.Equal([(0, 0), (99, 198)], Thinning.Simplify([.. Enumerable.Range(0, 100).Select(static k => ((double)k, 2.0 * k))], 0.01));

    [Fact]
    public void A_chart_puts_its_points_where_the_axes_say()
    {
        Chart chart = new(
            "title",
            "description",
            new("x", new LinearScale(0, 1), TickFormat.Number),
            new("y", new LinearScale(0, 1), TickFormat.Percent),
            [new Series("<line>", new("hue0", 0), [new(0, 0, "a"), new(1, 1, "b")]) { Dots = true }]
        );
        using StringWriter writer = new();
        ChartSvg.Write(new Markup(writer), chart);
        XElement svg = XElement.Parse(writer.ToString());
        double[] x = Ends(svg, "data-x"),
            y = Ends(svg, "data-y");
        XElement line = svg.Elements("g").Single(static g => (string?)g.Attribute("data-name") == "<line>");
        Assert.Equal(FormattableString.Invariant($"M{x[2]} {y[2]}L{x[3]} {y[3]}"), (string?)line.Elements("path").First().Attribute("d"));
        Assert.Equal("a|b", (string?)line.Attribute("data-labels"));

        static double[] Ends(XElement svg, string name) => [.. ((string)svg.Attribute(name)!).Split(' ').Skip(1).Select(double.Parse)];
    }

    [Fact]
    public void A_chart_without_lines_says_so()
    {
        using StringWriter writer = new();
        Axis axis = new("x", new LinearScale(0, 1), TickFormat.Number);
        ChartSvg.Write(new Markup(writer), new Chart("t", "d", axis, axis, []) { Empty = "nothing here" });
        Assert.Contains("nothing here", writer.ToString());
    }

    [Fact]
    public void Names_lose_what_all_share()
    {
        Assert.Equal(["1.conv1", "2.conv2"], Labels.Of(["net.layer.1.conv1.weight", "net.layer.2.conv2.weight"]));
        Assert.Equal(["layer1", "layer2"], Labels.Of(["layer1.weight", "layer2.weight"]));
        Assert.Equal(["a", "a"], Labels.Of(["a", "a"]));
        Assert.Equal([".weight", "x.weight"], Labels.Of([".weight", "x.weight"]));
        Assert.Equal(["only.weight"], Labels.Of(["only.weight"]));
        Assert.Empty(Labels.Of((IReadOnlyList<string>)[]));
    }
}
