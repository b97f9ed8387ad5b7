using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Tensorial.Compression;

/// <summary>By what layers share a budget.</summary>
public enum AllocationRule
{
    /// <summary>Least damage in all, as measured in the network on calibration images; without images as <see cref="Error"/>.</summary>
    Measured,

    /// <summary>
    /// Least noise over signal in all, e² / (1 - e²) of the relative error e of each layer's kernel, or of its answers where there are
    /// images.
    /// </summary>
    Error,

    /// <summary>Least lost energy in all: e² ‖K‖².</summary>
    Energy,

    /// <summary>The same relative error everywhere.</summary>
    EqualError,

    /// <summary>The same part of the parameters everywhere.</summary>
    Uniform,
}

/// <summary>Chooses candidates by a rule.</summary>
internal static class AllocationRules
{
    private static readonly (string Name, AllocationRule Rule)[] Names =
    [
        ("measured", AllocationRule.Measured),
        ("error", AllocationRule.Error),
        ("energy", AllocationRule.Energy),
        ("equal-error", AllocationRule.EqualError),
        ("uniform", AllocationRule.Uniform),
    ];

    /// <summary>The rule of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static AllocationRule Parse(string text) =>
        Names.FirstOrDefault(name => name.Name == text) is { Name: not null } known
            ? known.Rule
            : throw new BadInputException(
                $"'{text}' is no way to share a budget; there are {string.Join(", ", Names.Select(static name => name.Name))}.{NearestWord.Hint(text, Names.Select(static name => name.Name))}"
            );

    /// <summary>One candidate of each layer, within budgets.</summary>
    /// <exception cref="GoalNotMetException">No choice keeps the budgets; says the least that is possible.</exception>
    public static ImmutableArray<CompressionCandidate> Choose(
        this AllocationRule rule,
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices,
        IReadOnlyList<LayerBudget> budgets
    ) =>
        rule switch
        {
            AllocationRule.Energy => Original(
                Allocation.Solve(
                    [.. choices.Select(static layer => (IReadOnlyList<CompressionCandidate>)[.. layer.Select(Lost)])],
                    budgets
                ),
                choices
            ),
            AllocationRule.EqualError => Level(
                choices,
                budgets,
                static candidate => candidate.RelativeError,
                static (candidate, most) => candidate.RelativeError <= most
            ),
            _ => Allocation.Solve(choices, budgets),
        };

    /// <summary>The lowest level of a measure at which the cheapest candidates below it keep the budgets.</summary>
    private static ImmutableArray<CompressionCandidate> Level(
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices,
        IReadOnlyList<LayerBudget> budgets,
        Func<CompressionCandidate, double> measure,
        Func<CompressionCandidate, double, bool> allowed
    )
    {
        if (choices.Count == 0)
            return [];
        double[] levels = [.. choices.SelectMany(static layer => layer).Select(measure).Distinct().Order()];
        (int low, int high) = (0, levels.Length - 1);
        // Refuses what even the highest level cannot do, with the least that is possible.
        if (!Keeps(At(levels[high])))
            return Allocation.Solve(choices, budgets);
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Keeps(At(levels[middle])))
                high = middle;
            else
                low = middle + 1;
        }
        return At(levels[high]);

        ImmutableArray<CompressionCandidate> At(double level) =>
            [
                .. choices.Select(layer =>
                    layer
                        .Where(candidate => allowed(candidate, level))
                        .MinBy(candidate => budgets.Count > 0 ? budgets[0].Cost(candidate) : -candidate.Parameters)!
                ),
            ];

        bool Keeps(ImmutableArray<CompressionCandidate> chosen) => budgets.All(budget => budget.Keeps(chosen));
    }

    private static CompressionCandidate Lost(CompressionCandidate candidate) =>
        candidate with
        {
            Sensitivity =
                candidate.RelativeError * candidate.RelativeError * TensorPrimitives.SumOfSquares<double>(candidate.Layer.Kernel.Values),
        };

    private static ImmutableArray<CompressionCandidate> Original(
        ImmutableArray<CompressionCandidate> chosen,
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> choices
    ) => [.. chosen.Select((candidate, layer) => choices[layer].First(known => Equals(known.Form, candidate.Form)))];
}
