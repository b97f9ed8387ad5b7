using Tensorial.Execution;

namespace Tensorial.Tests.Execution;

public class LifetimeIndexTests
{
    /// <summary>Against the definition: two lives overlap if neither ends before the other begins.</summary>
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void Finds_all_that_live_at_the_same_time(int seed)
    {
        Random random = new(seed);
        const int steps = 37;
        Value[] values =
        [
            .. Enumerable
                .Range(0, 200)
                .Select(k =>
                {
                    int first = random.Next(-1, steps);
                    return new Value($"v{k}", ElementType.Float32, [1], null)
                    {
                        First = first,
                        Last = Math.Min(steps - 1, first + random.Next(random.Next(1, steps))),
                    };
                }),
        ];
        LifetimeIndex index = new(steps);
        for (int k = 0; k < values.Length; k++)
        {
            Value asked = values[k];
            Assert.Equal(
                values[..k].Where(other => other.First <= asked.Last && asked.First <= other.Last).Select(static v => v.Name).Order(),
                index.During(asked).Select(static v => v.Name).Order()
            );
            index.Add(asked);
        }
    }
}
