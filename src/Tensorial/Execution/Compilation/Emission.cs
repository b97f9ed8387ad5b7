using System.Collections.Immutable;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>Numbers of a constant or of a computed value, at the time a step runs.</summary>
internal delegate ReadOnlySpan<float> Floats(ProgramFrame frame);

/// <summary>What a form gets to emit its steps with: the values it reads and makes, room for what it keeps between steps.</summary>
/// <param name="compiler">The compiler.</param>
/// <param name="form">The form.</param>
/// <param name="constants">Names of the constants that the form's weights come from.</param>
internal sealed class Emission(Compiler compiler, Form form, ImmutableArray<string> constants)
{
    /// <summary>A computed value, blocked.</summary>
    public Value Blocked(string name) => compiler.Blocked(name);

    /// <summary>A computed value, plain.</summary>
    public Value Plain(string name) => compiler.Plain(name);

    /// <summary>A result of the form.</summary>
    public Value Result(string name) => compiler.Result(form.Results.First(result => result.Name == name));

    /// <summary>Numbers that are a constant or a computed value; none where absent. A computed value is added to what the step reads.</summary>
    public Floats Numbers(string? name, List<Value> reads)
    {
        if (name is not { Length: > 0 })
            return static _ => default;
        if (compiler.Scope.Constant(name) is Tensor<float> constant)
            return _ => constant.Values;
        Value value = Plain(name);
        reads.Add(value);
        return frame => frame.Floats(value);
    }

    /// <summary>
    /// A kernel in the order in which the tiles read it: packed once where it is a constant, and again when training has changed it; packed
    /// once a run where it is computed from constants.
    /// </summary>
    public PackedKernel Kernel(string name, KernelPacking packing)
    {
        if (compiler.Scope.Constant(name) is Tensor<float> constant)
            return compiler.Scope.Cache.Packed(constant, packing, compiler.Scope.Changing.Contains(name));
        Value value = Plain(name);
        PackedKernel packed = packing.Pack(new float[value.Shape.ElementCount]);
        compiler.EmitForParameters(
            new($"pack {name}", [value], [], (frame, _) => packing.Renew(packed, frame.Floats(value))) { IsWhole = true }
        );
        return packed;
    }

    /// <summary>Room for float32 numbers of a shape.</summary>
    public static Value Room(string label, Shape shape) => new(label, ElementType.Float32, shape, layout: null);

    /// <summary>Room for a blocked map.</summary>
    public static Value Room(string label, BlockedLayout layout) =>
        new(label, ElementType.Float32, [layout.Images, layout.Channels, layout.Height, layout.Width], layout);

    /// <summary>Room for numbers that every shard of the batch gathers, a row for each.</summary>
    public Value Sums(string label, int count) => Room(label, [compiler.Scope.Batch.SumRows, count]);

    /// <summary>Emits a step that treats images independently.</summary>
    public void Images(
        string label,
        IEnumerable<Value> reads,
        IEnumerable<Value> writes,
        Action<ProgramFrame, Piece> run,
        Action<ProgramFrame>? join = null,
        IEnumerable<Value>? joined = null
    ) =>
        compiler.Emit(
            new(label, [.. reads], [.. writes.Concat(joined ?? [])], run)
            {
                Join = join,
                Joined = [.. joined ?? []],
                Constants = constants,
            }
        );

    /// <summary>Emits a step that takes everything at once.</summary>
    public void Whole(string label, IEnumerable<Value> reads, IEnumerable<Value> writes, Action<ProgramFrame> run) =>
        compiler.Emit(new(label, [.. reads], [.. writes], (frame, _) => run(frame)) { IsWhole = true, Constants = constants });
}
