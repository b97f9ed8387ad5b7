using Tensorial.Execution;

namespace Tensorial.Tests.Execution;

/// <summary>Places in the arena: values that live at the same time never share a float, others do.</summary>
public class MemoryPlanTests
{
    [Fact]
    public void Values_alive_together_lie_apart_in_an_arena_near_the_least_possible()
    {
        Random random = new(1);
        double all = 0,
            least = 0;
        for (int run = 0; run < 200; run++)
        {
            Value[] values = [.. Enumerable.Range(0, random.Next(1, 40)).Select(k => Random(random, k))];
            int arena = MemoryPlan.Assign(values);
            foreach (Value one in values)
            {
                Assert.InRange(one.Offset, 0, arena - one.Length);
                Assert.Equal(0, one.Offset % 16);
                foreach (Value other in values)
                    Assert.True(
                        one == other
                            || one.Last < other.First
                            || other.Last < one.First
                            || one.Offset + one.Length <= other.Offset
                            || other.Offset + other.Length <= one.Offset,
                        $"{one} at {one.Offset} and {other} at {other.Offset} overlap"
                    );
            }
            int together = Enumerable
                .Range(0, 30)
                .Max(step => values.Where(v => v.First <= step && step <= v.Last).Sum(static v => v.Length));
            Assert.InRange(arena, together, values.Sum(static v => v.Length + 15));
            (all, least) = (all + arena, least + together);
        }
        Assert.InRange(all / least, 1, 1.15);
    }

    /// <summary>Beyond a number of values places are given in turn; many of them live at once.</summary>
    [Fact]
    public void So_do_tens_of_thousands()
    {
        Random random = new(2);
        Value[] values =
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(k =>
                {
                    int first = random.Next(2000);
                    return Made($"v{k}", random.Next(0, 100), first, first + (random.Next(10) == 0 ? random.Next(2000) : random.Next(4)));
                }),
        ];
        int arena = MemoryPlan.Assign(values);
        // By the step at which they begin, against all that are alive then, in the order of their places.
        List<Value> alive = [];
        long together = 0;
        foreach (IGrouping<int, Value> step in values.GroupBy(static v => v.First).OrderBy(static group => group.Key))
        {
            alive.RemoveAll(value => value.Last < step.Key);
            alive.AddRange(step);
            together = Math.Max(together, alive.Sum(static v => (long)v.Length));
            Value[] placed = [.. alive.Where(static v => v.Length > 0).OrderBy(static v => v.Offset)];
            for (int k = 1; k < placed.Length; k++)
                Assert.True(placed[k - 1].Offset + placed[k - 1].Length <= placed[k].Offset, $"step {step.Key}: {placed[k].Name}");
        }
        Assert.All(values, value => Assert.InRange(value.Offset, 0, arena - value.Length));
        // Each is rounded up to 16; what begins in turn leaves more gaps than what is placed by size.
        Assert.InRange(arena, together, 2 * together);
    }

    [Fact]
    public void One_after_another_they_take_the_place_of_the_largest()
    {
        Value[] values = [.. Enumerable.Range(0, 10).Select(k => Made($"v{k}", 16 * (k + 1), k, k))];
        Assert.Equal(160, MemoryPlan.Assign(values));
        Assert.All(values, static value => Assert.Equal(0, value.Offset));
    }

    [Fact]
    public void What_lies_elsewhere_takes_none()
    {
        Value source = Made("source", 64, 0, 3);
        Value[] values =
        [
            source,
            new("view", ElementType.Float32, [8, 8], null) { SharesMemoryOf = source },
            new("input", ElementType.Float32, [1000], null) { IsExternal = true },
            new("whole numbers", ElementType.Int64, [1000], null),
        ];
        Assert.Equal(64, MemoryPlan.Assign(values));
    }

    [Fact]
    public void An_arena_too_large_names_the_value()
    {
        Value[] values = [.. Enumerable.Range(0, 3).Select(static k => Made($"map {k}", 1 << 30, 0, 1))];
        Assert.Contains("map", Assert.Throws<ShapeException>(() => MemoryPlan.Assign(values)).Message);
    }

    private static Value Random(Random random, int k)
    {
        int first = random.Next(25);
        return Made($"v{k}", 16 * random.Next(1, 60), first, first + random.Next(5));
    }

    private static Value Made(string name, int length, int first, int last) =>
        new(name, ElementType.Float32, [length], null) { First = first, Last = last };
}
