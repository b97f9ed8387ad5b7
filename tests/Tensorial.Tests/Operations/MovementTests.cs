using System.Collections.Immutable;
using FsCheck.Fluent;
using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

/// <summary>Laws of operations that only move values: what one does another undoes.</summary>
public class MovementTests
{
    [Fact]
    public void Transposing_back_restores() =>
        ForAll(
            static (random, x) =>
            {
                int[] order = [.. Enumerable.Range(0, x.Shape.Rank)];
                random.Shuffle(order);
                int[] back = [.. Enumerable.Range(0, x.Shape.Rank)];
                Array.Sort([.. order], back);
                Tensor<int> y = new Transpose([.. order]).Apply(x)[0].Of<int>();
                AssertSame(x, new Transpose([.. back]).Apply(y)[0]);
                for (int i = 0; i < y.Shape.ElementCount; i++)
                {
                    int[] index = Some.Index(y.Shape, i),
                        source = new int[index.Length];
                    for (int axis = 0; axis < index.Length; axis++)
                        source[order[axis]] = index[axis];
                    Assert.Equal(Some.At(x, source), y.Values[i]);
                }
            }
        );

    [Fact]
    public void Concatenating_the_parts_of_a_split_restores() =>
        ForAll(
            static (random, x) =>
            {
                int axis = random.Next(x.Shape.Rank),
                    cut = random.Next(x.Shape[axis] + 1);
                Split split = new(2, axis) { Sizes = [cut, x.Shape[axis] - cut] };
                AssertSame(x, new Concat(axis - x.Shape.Rank).Apply(split.Apply(x))[0]);
            }
        );

    [Fact]
    public void Reshaping_back_restores() =>
        ForAll(
            static (random, x) =>
            {
                Tensor flat = new Reshape { Extents = [-1] }.Apply(x)[0];
                AssertSame(x, new Reshape { Extents = [.. x.Shape] }.Apply(flat)[0]);
                int axis = random.Next(x.Shape.Rank + 1);
                AssertSame(x, new Squeeze { Axes = [axis] }.Apply(new Unsqueeze { Axes = [axis] }.Apply(x))[0]);
            }
        );

    [Fact]
    public void Cropping_what_was_padded_restores() =>
        ForAll(
            static (random, x) =>
            {
                PadMode mode = Enum.GetValues<PadMode>()[random.Next(4)];
                int[] most = [.. x.Shape.Select(extent => mode == PadMode.Reflect ? extent : 4)];
                ImmutableArray<int> pads = [.. most.Concat(most).Select(extent => random.Next(extent))];
                Tensor padded = new Pad
                {
                    Pads = pads,
                    Mode = mode,
                    Value = 7,
                }.Apply(x)[0];
                AssertSame(x, new Pad { Pads = [.. pads.Select(static amount => -amount)] }.Apply(padded)[0]);
                ImmutableArray<int> starts = pads[..x.Shape.Rank];
                AssertSame(
                    x,
                    new Slice { Starts = starts, Ends = [.. starts.Zip(x.Shape, static (start, extent) => start + extent)] }.Apply(padded)[
                        0
                    ]
                );
            }
        );

    [Fact]
    public void Slices_take_what_naive_loops_take() =>
        ForAll(
            static (random, x) =>
            {
                int axis = random.Next(x.Shape.Rank),
                    extent = x.Shape[axis];
                int start = random.Next(-extent - 2, extent + 3),
                    end = random.Next(-extent - 2, extent + 3);
                int step = random.Next(1, 4) * (random.Next(2) * 2 - 1);
                Tensor<int> y = new Slice
                {
                    Starts = [start],
                    Ends = [end],
                    Axes = [axis],
                    Steps = [step],
                }
                    .Apply(x)[0]
                    .Of<int>();

                List<int> places = [];
                int from = start < 0 ? start + extent : start,
                    to = end < 0 ? end + extent : end;
                from = step > 0 ? Math.Clamp(from, 0, extent) : Math.Clamp(from, -1, extent - 1);
                to = step > 0 ? Math.Clamp(to, 0, extent) : Math.Clamp(to, -1, extent - 1);
                for (int place = from; step > 0 ? place < to : place > to; place += step)
                    places.Add(place);

                Assert.Equal(x.Shape.With(axis, places.Count), y.Shape);
                for (int i = 0; i < y.Shape.ElementCount; i++)
                {
                    int[] index = Some.Index(y.Shape, i);
                    index[axis] = places[index[axis]];
                    Assert.Equal(Some.At(x, index), y.Values[i]);
                }
            }
        );

    [Fact]
    public void Tiles_are_concatenations() =>
        ForAll(
            static (random, x) =>
            {
                int axis = random.Next(x.Shape.Rank),
                    times = random.Next(1, 4);
                Tensor tiled = new Tile { Repeats = [.. Enumerable.Range(0, x.Shape.Rank).Select(a => a == axis ? times : 1)] }.Apply(x)[0];
                AssertSame(new Concat(axis).Apply([.. Enumerable.Repeat(x, times)])[0].Of<int>(), tiled);
            }
        );

    [Fact]
    public void Gathering_everything_in_order_is_the_identity() =>
        ForAll(
            static (random, x) =>
            {
                int axis = random.Next(x.Shape.Rank),
                    extent = x.Shape[axis];
                long[] places = [.. Enumerable.Range(0, extent).Select(i => (long)(random.Next(2) == 0 ? i : i - extent))];
                AssertSame(x, new Gather(axis).Apply(x, new Tensor<long>([extent], places))[0]);
            }
        );

    [Fact]
    public void Moving_space_to_depth_and_back_restores() =>
        ForAll(
            static (random, _) =>
            {
                int block = random.Next(1, 4);
                Tensor<int> x = Some.Whole<int>(
                    [2, random.Next(1, 4), block * random.Next(1, 4), block * random.Next(1, 4)],
                    random.Next()
                );
                AssertSame(x, new DepthToSpace(block).Apply(new SpaceToDepth(block).Apply(x))[0]);
            }
        );

    private static void ForAll(Action<Random, Tensor<int>> law) =>
        Prop.ForAll<int>(seed =>
            {
                Random random = new(seed);
                law(random, Some.Whole<int>(Some.Shape(random, leastRank: 1), seed));
            })
            .Holds();

    private static void AssertSame(Tensor<int> expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Values, actual.Of<int>().Values);
    }
}
