using System.Runtime.CompilerServices;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;
using CompiledProgram = Tensorial.Execution.Program;

namespace Tensorial.Tests.Execution;

public class RecentProgramsTests
{
    private static Dictionary<string, Shape> Of(int width) => new() { ["x"] = [1, 2, 4, width] };

    private static RecentPrograms Programs(Action compiling)
    {
        Sketch sketch = new();
        sketch.Node("y", new Convolution { Pads = [1, 1, 1, 1] }, "x", sketch.Weights("w", [3, 2, 3, 3]));
        Graph graph = sketch.Graph(2, 4, 4);
        graph = graph with { Inputs = [graph.Inputs[0] with { Dimensions = null }] };
        return new(inputs =>
        {
            compiling();
            return Inference.Compile(graph, inputs, new WeightCache());
        });
    }

    [Fact]
    public void Each_shape_is_compiled_once_until_others_push_it_out()
    {
        int compiled = 0;
        RecentPrograms recent = Programs(() => compiled++);
        for (int width = 1; width <= RecentPrograms.Most; width++)
            recent.For(Of(width));
        Assert.Same(recent.For(Of(1)), recent.For(Of(1)));
        Assert.Equal(RecentPrograms.Most, compiled);
        recent.For(Of(100)); // pushes out 2, which was asked for least recently
        recent.For(Of(1));
        recent.For(Of(3));
        Assert.Equal((RecentPrograms.Most + 1, RecentPrograms.Most), (compiled, recent.Count));
        recent.For(Of(2));
        Assert.Equal(RecentPrograms.Most + 2, compiled);
    }

    [Fact]
    public void A_compilation_that_fails_is_tried_again()
    {
        bool fails = true;
        RecentPrograms recent = Programs(() =>
        {
            if (fails)
                throw new OutOfMemoryException();
        });
        Assert.Throws<OutOfMemoryException>(() => recent.For(Of(5)));
        Assert.Equal(0, recent.Count);
        fails = false;
        Assert.Same(recent.For(Of(5)), recent.For(Of(5)));
    }

    [Fact]
    public void Threads_that_ask_together_wait_for_one_compilation()
    {
        int compiled = 0;
        RecentPrograms recent = Programs(() => Interlocked.Increment(ref compiled));
        CompiledProgram[] programs = new CompiledProgram[64];
        Parallel.For(0, programs.Length, index => programs[index] = recent.For(Of(5 + index % 2)));
        Assert.Equal((2, 2), (compiled, programs.Distinct().Count()));
    }

    [Fact]
    public void Memory_of_shapes_that_are_gone_goes_with_them()
    {
        RecentPrograms recent = Programs(static () => { });
        WeakReference[] frames = [.. Enumerable.Range(1, 5 * RecentPrograms.Most).Select(width => Frame(recent, width))];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(frames.Count(static frame => frame.IsAlive), 1, RecentPrograms.Most);
        GC.KeepAlive(recent);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Frame(RecentPrograms recent, int width)
    {
        CompiledProgram program = recent.For(Of(width));
        ProgramFrame frame = new(program, Workers.Serial);
        recent.Idle(program, isShared: false).Add(frame);
        Assert.False(recent.Idle(program, isShared: true).TryTake(out _));
        return new(frame);
    }
}
