using Tensorial.Kernels;

namespace Tensorial.Tests.Kernels;

public class ThreadWorkersTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 5)]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(2, 1000)]
    [InlineData(5, 3)]
    [InlineData(5, 10_000)]
    public void Every_index_is_run_once(int threads, int count)
    {
        using ThreadWorkers workers = new(threads);
        int[] runs = new int[count];
        workers.For(count, index => Interlocked.Increment(ref runs[index]));
        Assert.All(runs, static times => Assert.Equal(1, times));
    }

    [Fact]
    public void Many_short_loops_follow_one_another_with_and_without_pauses()
    {
        using ThreadWorkers workers = new(3);
        long sum = 0;
        for (int loop = 0; loop < 5000; loop++)
        {
            // Long enough to send the team to bed.
            if (loop % 500 == 0)
                Thread.Sleep(1);
            workers.For(4, index => Interlocked.Add(ref sum, index + 1));
        }
        Assert.Equal(5000 * 10, sum);
    }

    [Fact]
    public void All_threads_take_part()
    {
        using ThreadWorkers workers = new(4);
        using Barrier together = new(4);
        // Each body waits for the other three, so one thread alone would wait in vain.
        workers.For(4, _ => Assert.True(together.SignalAndWait(TimeSpan.FromSeconds(30))));
    }

    [Fact]
    public void A_loop_inside_a_body_runs_on_the_same_thread()
    {
        using ThreadWorkers workers = new(3);
        bool[] same = new bool[8];
        workers.For(
            8,
            outer =>
            {
                int thread = Environment.CurrentManagedThreadId;
                same[outer] = true;
                workers.For(10, _ => same[outer] &= Environment.CurrentManagedThreadId == thread);
            }
        );
        Assert.All(same, Assert.True);
    }

    [Fact]
    public void Several_callers_can_loop_at_once()
    {
        using ThreadWorkers workers = new(3);
        long sum = 0;
        Thread[] callers =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(_ => new Thread(() =>
                {
                    for (int loop = 0; loop < 500; loop++)
                        workers.For(8, index => Interlocked.Add(ref sum, index));
                })),
        ];
        foreach (Thread caller in callers)
            caller.Start();
        foreach (Thread caller in callers)
            caller.Join();
        Assert.Equal(4 * 500 * 28, sum);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_exception_ends_the_loop_and_reaches_the_caller(int threads)
    {
        using ThreadWorkers workers = new(threads);
        int runs = 0;
        InvalidDataException thrown = Assert.Throws<InvalidDataException>(() =>
            workers.For(
                1_000_000,
                index =>
                {
                    Interlocked.Increment(ref runs);
                    if (index == 100)
                        throw new InvalidDataException("number 100");
                }
            )
        );
        Assert.Equal("number 100", thrown.Message);
        Assert.InRange(runs, 101, 999_999);

        int after = 0;
        workers.For(10, _ => Interlocked.Increment(ref after));
        Assert.Equal(10, after);
    }

    [Fact]
    public void A_disposed_pool_refuses_work()
    {
        ThreadWorkers workers = new(3);
        workers.Dispose();
        workers.Dispose();
        Assert.Throws<ObjectDisposedException>(() => workers.For(2, static _ => { }));
    }

    [Fact]
    public void There_is_at_least_one_thread() => Assert.Throws<ArgumentOutOfRangeException>(static () => new ThreadWorkers(0));
}
