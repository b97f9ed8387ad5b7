using Tensorial.Hostile;

namespace Tensorial.Tests.Hostile;

/// <summary>Every reader and every stage of tests/hostile, on some inputs each; the README there says how many were tried in all.</summary>
[Collection(nameof(Alone))]
public sealed class HostileTargetsTests
{
    public static TheoryData<string> Names() => [.. Target.All.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whatever_a_stranger_gives_is_used_or_refused_in_words(string name)
    {
        Target target = Target.All.Single(target => target.Name == name);

        Outcome outcome = new Runner(target, seed: 2).Run(
            first: 0,
            Oracles.Heavy ? 20_000 : 150,
            most: TimeSpan.FromSeconds(Oracles.Heavy ? 60 : 2)
        );

        Assert.True(outcome.Faults.Count == 0, string.Join("\n", outcome.Faults));
        Assert.True(outcome.Inputs > 0);
    }

    [Fact]
    public void A_round_is_the_same_input_every_time() =>
        Assert.All(
            Target.All,
            static target => Assert.All(Enumerable.Range(0, 20), round => Assert.Equal(target.Input(1, round), target.Input(1, round)))
        );
}
