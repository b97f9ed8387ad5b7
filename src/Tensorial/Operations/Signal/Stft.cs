using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The short-time Fourier transform [n,frames,bins,2] of signals [n,length] or [n,length,1 or 2]. Further operands are the step from frame
/// to frame, a window that multiplies each frame, and the length of a frame, which the window's is else.
/// </summary>
/// <param name="OneSided">Whether only the first ⌊frame / 2⌋ + 1 bins are given.</param>
public sealed record Stft(bool OneSided = true) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "STFT";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo signal = inputs.Floating(0, "signal");
        if (signal.Shape.Rank is not (2 or 3) || signal.Shape.Rank == 3 && signal.Shape[2] is not (1 or 2))
            throw new ShapeException($"signals must be [n, length] or [n, length, 1 or 2], not of shape {signal.Shape}.");
        if (OneSided && signal.Shape is [_, _, 2])
            throw new ShapeException("only a real signal has a one-sided transform.");
        int step =
            Positive(inputs.Constant(1, "frame_step"), "frame_step") ?? throw new BadInputException("input 1 (frame_step) is missing.");
        Shape? window = inputs.Optional(2) is null ? null : inputs.Floating(2, "window").OfRank(1, "the window").Shape;
        int frame =
            Positive(inputs.Constant(3, "frame_length"), "frame_length")
            ?? window?[0]
            ?? throw new BadInputException("neither a window nor a frame length is given.");
        if (window is { } given && given[0] != frame)
            throw new ShapeException($"the window has {given[0]} values, a frame {frame}.");
        if (frame < 1 || frame > signal.Shape[1])
            throw new ShapeException($"a frame of {frame} values does not fit signals of {signal.Shape[1]}.");
        return [new(signal.Type, [signal.Shape[0], (signal.Shape[1] - frame) / step + 1, OneSided ? frame / 2 + 1 : frame, 2])];
    }

    private static int? Positive(Tensor? given, string name) =>
        given is null ? null
        : given.Single(name).Integers(name)[0] is >= 1 and var value ? value
        : throw new BadInputException($"input '{name}' must be at least 1.");

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> signal = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T>? window = inputs.Optional(2)?.Of<T>();
        int step = Positive(inputs[1], "frame_step")!.Value,
            frame = Positive(inputs.Optional(3), "frame_length") ?? window!.Shape[0],
            parts = signal.Shape.Rank == 3 ? signal.Shape[2] : 1;
        (int length, int frames, int bins) = (signal.Shape[1], y.Shape[1], y.Shape[2]);
        workers.For(
            signal.Shape[0] * frames,
            line =>
            {
                int from = line / frames * length + line % frames * step;
                Complex[] values = new Complex[frame];
                for (int i = 0; i < frame; i++)
                {
                    double factor = window is null ? 1 : double.CreateTruncating(window.Values[i]);
                    int at = (from + i) * parts;
                    values[i] = new(
                        factor * double.CreateTruncating(signal.Values[at]),
                        parts == 2 ? factor * double.CreateTruncating(signal.Values[at + 1]) : 0
                    );
                }
                Fourier.Transform(values, inverse: false);
                Span<T> target = y.Values.Slice(line * bins * 2, bins * 2);
                for (int k = 0; k < bins; k++)
                    (target[2 * k], target[2 * k + 1]) = (T.CreateTruncating(values[k].Real), T.CreateTruncating(values[k].Imaginary));
            }
        );
    }
}
