namespace Tensorial.Tests.Docs;

/// <summary>The tutorials run as they are printed, and print what they show.</summary>
[Collection(nameof(Alone))]
public class TutorialTests
{
    [OracleFact(Oracle.Shell | Oracle.Patience)]
    public void A_figure_of_your_own_network() => PageCommands.Check("docs/tutorials/figure.md");

    [OracleFact(Oracle.Shell | Oracle.Patience)]
    public void A_service_that_fine_tunes_its_network()
    {
        string page = File.ReadAllText(Path.Combine(Oracles.Repository, "docs", "tutorials", "service.md")).ReplaceLineEndings("\n"),
            service = File.ReadAllText(Path.Combine(Oracles.Repository, "samples", "service.cs")).ReplaceLineEndings("\n");
        string shown = page[(page.IndexOf("```csharp\n", StringComparison.Ordinal) + 10)..];
        shown = shown[..shown.IndexOf("```", StringComparison.Ordinal)].TrimEnd();
        Assert.Contains(shown.Replace("\n", "\n        ", StringComparison.Ordinal), service);
        PageCommands.Check("docs/tutorials/service.md");
    }

    [OracleFact(Oracle.Shell | Oracle.Patience)]
    public void A_smaller_and_faster_network_for_a_device() => PageCommands.Check("docs/tutorials/device.md");

    [Theory]
    [InlineData("all 5 of 1,000", "all 5 of 1,001", true)]
    [InlineData("top-1 94.20 %", "top-1 94.10 %", true)]
    [InlineData("top-1 94.20 %", "top-1 81.10 %", false)]
    [InlineData("conv2.weight 32×16×3×3 o|ihw 0.5", "conv2.weight 32×16×3×3 o|ihw 0.509", true)]
    [InlineData("conv2.weight 32×16×3×3", "conv3.weight 32×16×3×3", false)]
    [InlineData("takes ~0.9 ms", "takes 120 ms", true)]
    [InlineData("takes ~0.9 ms", "takes long", false)]
    [InlineData("{\"scores\":[…]}", "{\"scores\":[1,2]}", true)]
    [InlineData("{\"scores\":[…]}", "{\"points\":[1,2]}", false)]
    public void A_line_is_like_the_one_shown(string shown, string line, bool isLike) =>
        Assert.Equal(isLike, PageCommands.IsLike(shown, line));
}
