using System.Runtime.InteropServices;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>The memory of one evaluation under way. A frame serves one thread at a time; a program may have many.</summary>
internal sealed class ProgramFrame
{
    private readonly Memory<float> _arena;
    private readonly Tensor?[] _tensors;

    /// <param name="program">The program whose values it holds.</param>
    /// <param name="workers">Threads its steps may use.</param>
    public ProgramFrame(Program program, Workers workers)
    {
        Workers = workers;
        // Pinned, so that an address aligned once stays aligned.
        float[] block = GC.AllocateUninitializedArray<float>(program.ArenaLength + 16, pinned: true);
        int skip = AlignedStart.Of(block);
        _arena = block.AsMemory(skip, program.ArenaLength);
        _tensors = new Tensor?[program.Values.Length];
        foreach (Value value in program.Values)
        {
            if (value.IsExternal || value.Layout is not null)
                continue;
            _tensors[value.Id] =
                value.Type == ElementType.Float32
                    ? new Tensor<float>(value.Shape, _arena.Slice(value.Root.Offset, value.Shape.ElementCount))
                    : Tensor.Zeros(value.Type, value.Shape);
        }
    }

    public Workers Workers { get; }

    /// <summary>A plain value as a tensor.</summary>
    public Tensor this[Value of] => _tensors[of.Id]!;

    /// <summary>Gives a value that lies outside the arena, a network input, its tensor.</summary>
    /// <exception cref="ShapeException">It has another type or shape: the kernels rely on both.</exception>
    public void Bind(Value of, Tensor tensor) =>
        _tensors[of.Id] =
            tensor.ElementType == of.Type && tensor.Shape == of.Shape
                ? tensor
                : throw new ShapeException($"'{of.Name}' takes {of.Type} {of.Shape}, not {tensor.ElementType} {tensor.Shape}.");

    /// <summary>The floats of a value: of a blocked one in its layout, halo included.</summary>
    public Span<float> Floats(Value value) =>
        value.IsInArena ? _arena.Span.Slice(value.Offset, value.Length) : _tensors[value.Id]!.Of<float>().Values;

    /// <summary>All that a value holds, whatever its type.</summary>
    public Span<byte> Bytes(Value value) =>
        value.IsInArena ? MemoryMarshal.AsBytes(Floats(value)) : _tensors[value.Id]!.Bytes(0, value.Shape.ElementCount);
}
