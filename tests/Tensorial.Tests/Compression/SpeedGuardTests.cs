using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Tests.Compression;

/// <summary>Measured time in the choice of forms; the measurements are given, so nothing here depends on the machine.</summary>
public sealed class SpeedGuardTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly CompressibleLayer _layer;
    private readonly LatencyProbe _probe = new([new OwnRuntime()], 1, 1);

    public SpeedGuardTests()
    {
        NetworkBuilder net = new("layer", [16, 8, 8], seed: 0);
        _layer = CompressibleLayer.Of(net.ToGraph(net.Convolution("conv", net.Input, 16, 3, padding: 1))).Layers.Single();
    }

    public void Dispose() => _folder.Delete(true);

    /// <summary>Time of svd-out and of svd-in over the dense layer's; of equal size svd-out has the smaller damage.</summary>
    [Theory]
    [InlineData(Objective.Size, 3.0, 0.5, "svd-out")]
    [InlineData(Objective.Balanced, 0.9, 0.5, "svd-out")]
    // 1.1⁴ times 0.10 is less than 0.15, 1.2⁴ times 0.10 more.
    [InlineData(Objective.Balanced, 1.1, 0.5, "svd-out")]
    [InlineData(Objective.Balanced, 1.2, 0.5, "svd-in")]
    [InlineData(Objective.Balanced, 1.2, 1.2, "svd-out")]
    [InlineData(Objective.Speed, 1.01, 0.5, "svd-in")]
    [InlineData(Objective.Speed, 0.99, 0.5, "svd-out")]
    public void Slow_forms_count_as_the_objective_says(Objective objective, double output, double input, string chosen)
    {
        using ResultCache cache = Times(output, input);
        SpeedGuard guard = new(_probe, objective, cache);
        CompressionCandidate choice = guard.Choose(AllocationRule.Measured, Candidates(), [Half()]).Single();
        Assert.Equal(chosen, choice.Format?.ToString());
        Assert.True(guard.IsMet);
        // What the guard multiplied damages with stays with it.
        Assert.Equal(1, choice.Slowdown);
        Assert.Equal(objective != Objective.Size && output > 1, guard.HasSlowForms(_layer));
    }

    [Fact]
    public void Where_only_slow_forms_keep_the_budget_they_are_taken_and_that_is_said()
    {
        using ResultCache cache = Times(1.5, 2);
        SpeedGuard guard = new(_probe, Objective.Speed, cache);
        CompressionCandidate choice = guard.Choose(AllocationRule.Measured, Candidates(), [Half()]).Single();
        Assert.Equal("svd-out", choice.Format?.ToString());
        Assert.False(guard.IsMet);
    }

    /// <summary>A search for a size makes one choice after the other with the same guard.</summary>
    [Fact]
    public void What_one_budget_forced_is_not_said_of_the_next_choice()
    {
        using ResultCache cache = Times(1.5, 2);
        SpeedGuard guard = new(_probe, Objective.Speed, cache);
        _ = guard.Choose(AllocationRule.Measured, Candidates(), [Half()]);
        Assert.False(guard.IsMet);

        CompressionCandidate choice = guard
            .Choose(AllocationRule.Measured, Candidates(), [Half() with { Most = _layer.Parameters }])
            .Single();

        Assert.Null(choice.Form);
        Assert.True(guard.IsMet);
        Assert.Equal([_layer.Name], guard.SlowAmong([_layer]));
    }

    [Fact]
    public void A_layer_kept_for_time_says_so()
    {
        PlannerResult result = new([CompressionCandidate.Dense(_layer)], [Candidates()[0]]);
        Assert.Equal("no other form was worth its damage", result.Reasons[_layer.Name]);
        Assert.Contains("slower", (result with { WithSlowForms = [_layer.Name] }).Reasons[_layer.Name]);
    }

    private ImmutableArray<ImmutableArray<CompressionCandidate>> Candidates() =>
        [
            [
                CompressionCandidate.Dense(_layer),
                CompressionCandidate.From(_layer, Form(KernelFormat.SvdOut), 0.3, 0.10),
                CompressionCandidate.From(_layer, Form(KernelFormat.SvdIn), 0.3, 0.15),
            ],
        ];

    private LayerForm Form(KernelFormat format) => LayerForm.From(_layer, format, [6]);

    private LayerBudget Half() => new("params", static candidate => candidate.Parameters, 0.5 * _layer.Parameters);

    private ResultCache Times(double output, double input)
    {
        ResultCache cache = ResultCache.Open(_folder.FullName, "model", "");
        cache.Add($"time {_probe.Setting} {LatencyProbe.KeyOf(_layer, Form(KernelFormat.SvdOut))}", output);
        cache.Add($"time {_probe.Setting} {LatencyProbe.KeyOf(_layer, Form(KernelFormat.SvdIn))}", input);
        return cache;
    }
}
