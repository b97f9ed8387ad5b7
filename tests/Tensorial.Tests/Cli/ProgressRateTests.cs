using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>Times left, from times that are given.</summary>
public sealed class ProgressRateTests
{
    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void What_was_there_before_says_nothing_about_speed()
    {
        ProgressRate rate = new();
        rate.Report(new("sweep", 90, 100, "points"), At(0));
        Assert.Equal("sweep: 90 of 100 points", rate.Text(At(0)));
        rate.Report(new("sweep", 91, 100, "points"), At(10));
        Assert.Equal("sweep: 91 of 100 points, about 0:01:30 left", rate.Text(At(10)));
    }

    [Fact]
    public void Work_that_begins_again_is_counted_anew()
    {
        ProgressRate rate = new();
        rate.Report(new("search", 0, 10, "candidates"), At(0));
        rate.Report(new("search", 9, 10, "candidates"), At(1));
        rate.Report(new("search", 1, 10, "candidates"), At(2));
        rate.Report(new("search", 2, 10, "candidates"), At(12));
        Assert.Equal("search: 2 of 10 candidates, about 0:01:20 left", rate.Text(At(12)));
    }

    [Fact]
    public void Epochs_share_one_estimate_by_their_part_of_the_whole()
    {
        ProgressRate rate = new();
        rate.Report(new("epoch 1 of 2", 0, 100, "images") { Part = 0 }, At(0));
        rate.Report(new("epoch 2 of 2", 50, 100, "images") { Part = 0.75 }, At(30));
        Assert.Equal(0.75, rate.Part);
        Assert.Equal("epoch 2 of 2: 50 of 100 images, about 0:00:10 left", rate.Text(At(30)));
    }

    [Fact]
    public void Nothing_is_left_of_what_is_done_or_unknown()
    {
        ProgressRate rate = new();
        Assert.Null(rate.Text(At(1)));
        rate.Report(new("download", 5_000_000, 0, "bytes"), At(0));
        rate.Report(new("download", 7_000_000, 0, "bytes"), At(1));
        Assert.Equal("download: 7 MB, 2.0 MB/s", rate.Text(At(1)));
        Assert.Null(rate.Part);
        rate.Report(new("spectra", 4, 4, "kernels"), At(2));
        Assert.Equal("spectra: 4 of 4 kernels", rate.Text(At(3)));
        rate.Forget();
        Assert.Null(rate.Text(At(4)));
    }
}
