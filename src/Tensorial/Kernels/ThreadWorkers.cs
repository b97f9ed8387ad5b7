namespace Tensorial.Kernels;

public sealed class ThreadWorkers(int count) : Workers, IDisposable
{
    public override int Count => count;
    public override void For(int n, Action<int> body) => Parallel.For(0, n, new ParallelOptions { MaxDegreeOfParallelism = count }, body);
    public void Dispose() { }
}
