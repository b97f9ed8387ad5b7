using SharpFuzz;

namespace Tensorial.Hostile;

/// <summary>
/// Inputs from AFL++, which learns from the branches of the instrumented library (tests/hostile/coverage). A fault goes on as the exception
/// it is: AFL++ keeps the input as a crash.
/// </summary>
internal static class Coverage
{
    public static int Run(Target target)
    {
        Runner runner = new(target, 0);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using MemoryStream input = new();
            stream.CopyTo(input);
            if (runner.Try(input.ToArray()) is { } fault)
                throw new InvalidOperationException(fault);
        });
        return 0;
    }
}
