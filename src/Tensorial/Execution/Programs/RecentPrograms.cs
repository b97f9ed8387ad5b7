using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Tensorial.Execution;

/// <summary>
/// The programs of a network for the shapes of inputs that it was given last, each compiled once, with the memory that their calls leave
/// behind. Programs for other shapes go, and their memory with them: pictures of a thousand sizes would each leave theirs.
/// </summary>
/// <param name="compile">Compiles the network for the shapes of its inputs.</param>
internal sealed class RecentPrograms(Func<IReadOnlyDictionary<string, Shape>, Program> compile)
{
    /// <summary>More shapes than an evaluation goes back and forth between: a whole piece, the last one, one image, those of another batch.</summary>
    public const int Most = 16;

    private readonly Dictionary<string, (Lazy<Program> Program, long Used)> _programs = [];
    private readonly ConditionalWeakTable<Program, ConcurrentBag<ProgramFrame>[]> _idle = [];
    private long _calls;

    /// <summary>Programs that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_programs)
                return _programs.Count;
        }
    }

    /// <summary>The program for these shapes; threads that ask for one while it is compiled wait for it.</summary>
    /// <param name="inputs">Shapes of all inputs, by name, always in the same order.</param>
    public Program For(IReadOnlyDictionary<string, Shape> inputs)
    {
        string key = string.Join(';', inputs.Select(static input => $"{input.Key}:{input.Value}"));
        Lazy<Program> program;
        lock (_programs)
        {
            program = _programs.TryGetValue(key, out (Lazy<Program> Program, long Used) known) ? known.Program : new(() => compile(inputs));
            _programs[key] = (program, _calls++);
            if (_programs.Count > Most)
                _programs.Remove(_programs.MinBy(static kept => kept.Value.Used).Key);
        }
        try
        {
            return program.Value;
        }
        catch
        {
            // A failure is not remembered: there may be more memory the next time.
            lock (_programs)
                if (_programs.TryGetValue(key, out (Lazy<Program> Program, long Used) failed) && failed.Program == program)
                    _programs.Remove(key);
            throw;
        }
    }

    /// <summary>Frames of a program that no call uses just now.</summary>
    /// <param name="program">The program.</param>
    /// <param name="isShared">Whether threads share the steps of a call, or each has calls of its own.</param>
    public ConcurrentBag<ProgramFrame> Idle(Program program, bool isShared) =>
        _idle.GetValue(
            program,
            static _ =>
                [
                    [],
                    [],
                ]
        )[isShared ? 1 : 0];
}
