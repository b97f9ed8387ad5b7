using Tensorial.Kernels;

namespace Tensorial.Tests.Kernels;

public class ThreadWorkersTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(8)]
    public void Every_index_runs_once(int threads)
    {
        using ThreadWorkers workers = new(threads);
        foreach (int count in new[] { 0, 1, 2, 7, 1000 })
            for (int repeat = 0; repeat < 50; repeat++)
            {
                int[] calls = new int[count];
                workers.For(count, index => Interlocked.Increment(ref calls[index]));
                Assert.All(calls, static c => Assert.Equal(1, c));
            }
    }

    [Fact]
    public void Threads_that_slept_come_back()
    {
        using ThreadWorkers workers = new(3);
        for (int repeat = 0; repeat < 5; repeat++)
        {
            Thread.Sleep(20);
            int sum = 0;
            workers.For(100, index => Interlocked.Add(ref sum, index));
            Assert.Equal(4950, sum);
        }
    }

    [Fact]
    public void A_loop_inside_a_loop_and_loops_from_two_threads_run_to_their_end()
    {
        using ThreadWorkers workers = new(2);
        int sum = 0;
        Parallel.For(0, 4, _ => workers.For(10, _ => workers.For(10, _ => Interlocked.Increment(ref sum))));
        Assert.Equal(400, sum);
    }

    [Fact]
    public void A_failure_reaches_the_caller_and_the_workers_go_on()
    {
        using ThreadWorkers workers = new(2);
        Assert.Throws<BadInputException>(() => workers.For(100, static index => { if (index == 50) throw new BadInputException("50"); }));
        int sum = 0;
        workers.For(100, _ => Interlocked.Increment(ref sum));
        Assert.Equal(100, sum);
    }
}
