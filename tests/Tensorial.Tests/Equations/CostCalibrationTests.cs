using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Equations;

public class CostCalibrationTests
{
    private static readonly Lazy<ImmutableArray<MeasuredStep>> Measured = new(() => CostCalibration.Measure());

    /// <summary>Times made up by a model are explained by the model that is fitted to them, whatever the machine.</summary>
    [Fact]
    public void A_model_is_found_again_from_the_times_it_expects()
    {
        CostModel truth = CostModel.Default with { Step = 4e-6, Mac = 5e-11, Move = 6e-10, BatchedMac = 1e-9 };
        ImmutableArray<MeasuredStep> steps = [.. Measured.Value.Select(step => step with { Seconds = step.Ratio(truth) * step.Seconds })];
        CostModel fitted = CostCalibration.Fit(steps, "made up");
        Assert.Equal("made up", fitted.Source);
        Assert.True(
            Off(fitted, steps) < 0.15 && Off(fitted, steps) < 0.3 * Off(CostModel.Default, steps),
            $"off by {Off(fitted, steps)}, the built-in one by {Off(CostModel.Default, steps)}"
        );
    }

    [Fact]
    public void What_is_fitted_expects_no_worse_than_what_is_built_in()
    {
        Assert.All(Measured.Value, static step => Assert.True(step.Seconds > 0 && step.Macs > 0));
        CostModel fitted = CostCalibration.Fit(Measured.Value, "here");
        Assert.True(Off(fitted, Measured.Value) <= Off(CostModel.Default, Measured.Value) + 0.05);
    }

    [Fact]
    public void Plans_follow_their_model()
    {
        // Steps so dear that nothing is worth a second intermediate but fewer multiply-accumulates; then so cheap to move that only these
        // count.
        Shape[] shapes =
        [
            [16, 64, 16, 16],
            [64, 3],
            [64, 3],
        ];
        Equation equation = Equation.Parse("bshw,sh,sw->bshw|hw");
        Plan apart = Plan.Create(equation, new() { Cost = CostModel.Default with { UnfoldedMac = 1e-14, ThinMac = 1e-6 } }, shapes);
        Plan together = Plan.Create(equation, new() { Cost = CostModel.Default with { UnfoldedMac = 1e-6, ThinMac = 1e-14 } }, shapes);
        Assert.Equal(
            "sh,sw->shw",
            together
                .Steps[0]
                .Expression.Replace("sw,sh->", "sh,sw->", StringComparison.Ordinal)
                .Replace("swh", "shw", StringComparison.Ordinal)
        );
        Assert.Contains('|', apart.Steps[0].Expression);
    }

    [Fact]
    public void A_model_survives_its_file_and_what_is_none_is_refused()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "cost.json");
        CostModel model = CostModel.Default with { Source = "here", ThinMac = 3e-11 };
        CostModelFile.Write(model, path);
        Assert.Equal(model, CostModelFile.Read(path));
        foreach (
            string text in (string[])
                [
                    "{}",
                    "[1]",
                    "{\"schemaVersion\":2,\"costModel\":{}}",
                    "{\"schemaVersion\":1,\"costModel\":{\"mac\":-1}}",
                    "{\"schemaVersion\":1}",
                ]
        )
        {
            File.WriteAllText(path, text);
            Assert.Contains("cost.json", Assert.Throws<BadInputException>(() => CostModelFile.Read(path)).Message);
        }
    }

    private static double Off(CostModel model, ImmutableArray<MeasuredStep> steps) =>
        steps.Average(step => Math.Abs(Math.Log(step.Ratio(model))));
}
