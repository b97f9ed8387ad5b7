using System.Collections.Immutable;
using Tensorial.Compression;

namespace Tensorial.Tests.Compression;

/// <summary>The choice is as good as trying them all.</summary>
public class AllocationTests
{
    private static readonly LayerBudget Parameters = new("parameters", static c => c.Parameters, 0),
        Macs = new("MACs", static c => c.Macs, 0);

    [Fact]
    public void One_budget_is_spent_as_well_as_possible()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            CompressionCandidate[][] choices = Choices(new(seed), layers: 5, each: 6);
            LayerBudget budget = Parameters with { Most = 0.5 * choices.Sum(static layer => layer.Max(static c => (double)c.Parameters)) };
            ImmutableArray<CompressionCandidate> chosen = Allocation.Solve(choices, [budget]);
            Assert.True(chosen.Sum(static c => c.Parameters) <= budget.Most);
            // Costs are rounded up to steps, so that a choice just within the budget may be missed.
            Assert.True(chosen.Sum(static c => c.Sensitivity) <= Best(choices, [budget with { Most = budget.Most * 0.998 }]) + 1e-12);
        }
    }

    /// <summary>The least that is possible is possible, whatever costs are counted in.</summary>
    [Fact]
    public void A_budget_of_the_least_is_met()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            CompressionCandidate[][] choices = Choices(new(seed), layers: 60, each: 6);
            double least = choices.Sum(static layer => layer.Min(static c => (double)c.Parameters));
            ImmutableArray<CompressionCandidate> chosen = Allocation.Solve(choices, [Parameters with { Most = least }]);
            Assert.Equal(least, chosen.Sum(static c => (double)c.Parameters));
        }
    }

    [Fact]
    public void Two_budgets_are_both_kept()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            CompressionCandidate[][] choices = Choices(new(seed), layers: 4, each: 5);
            LayerBudget[] budgets =
            [
                Parameters with
                {
                    Most = 0.6 * choices.Sum(static layer => layer.Max(static c => (double)c.Parameters)),
                },
                Macs with
                {
                    Most = 0.6 * choices.Sum(static layer => layer.Max(static c => (double)c.Macs)),
                },
            ];
            ImmutableArray<CompressionCandidate> chosen = Allocation.Solve(choices, budgets);
            Assert.All(budgets, budget => Assert.True(chosen.Sum(budget.Cost) <= budget.Most));
            Assert.True(chosen.Sum(static c => c.Sensitivity) <= 1.5 * Best(choices, budgets) + 1e-12);
        }
    }

    [Fact]
    public void What_cannot_be_kept_is_refused_with_the_least_that_can()
    {
        CompressionCandidate[][] choices = Choices(new(1), 3, 4);
        double least = choices.Sum(static layer => layer.Min(static c => (double)c.Parameters));
        GoalNotMetException refused = Assert.Throws<GoalNotMetException>(() =>
            Allocation.Solve(choices, [Parameters with { Most = least - 1 }])
        );
        Assert.Contains(least.ToString("N0"), refused.Message);
        // And which layers hold it.
        Assert.Contains(Layers[0].Name, refused.Message);
        Assert.Equal(
            least,
            Allocation.Solve(choices, [Parameters with { Most = least * 1.01 }]).Sum(static c => (double)c.Parameters),
            least * 0.01
        );
    }

    private static readonly ImmutableArray<CompressibleLayer> Layers = CompressibleLayer
        .Of(Tensorial.Onnx.OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx")))
        .Layers;

    private static CompressionCandidate[][] Choices(Random random, int layers, int each) =>
        [
            .. Enumerable
                .Range(0, layers)
                .Select(layer =>
                    (CompressionCandidate[])
                        [
                            .. Enumerable
                                .Range(0, each)
                                .Select(_ => new CompressionCandidate(
                                    Layers[layer % Layers.Length],
                                    null,
                                    random.Next(100, 1000),
                                    random.Next(100, 1000),
                                    0,
                                    random.NextDouble()
                                )),
                        ]
                ),
        ];

    private static double Best(CompressionCandidate[][] choices, LayerBudget[] budgets)
    {
        double best = double.PositiveInfinity;
        Try([], 0);
        return best;

        void Try(ImmutableArray<CompressionCandidate> chosen, double damage)
        {
            if (budgets.Any(budget => chosen.Sum(budget.Cost) > budget.Most))
                return;
            if (chosen.Length == choices.Length)
                best = Math.Min(best, damage);
            else
                foreach (CompressionCandidate candidate in choices[chosen.Length])
                    Try(chosen.Add(candidate), damage + candidate.Sensitivity);
        }
    }
}
