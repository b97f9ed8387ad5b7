using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The gradient of a convolution's input: itself a convolution, of dy with the kernel turned by 180 degrees and its two channel axes
/// exchanged within their groups. Under a stride every residue of the position has taps of its own, so that the gradient is one convolution
/// for each residue (a phase), into a plane without gaps that is then put to every stride-th place. All phases together multiply as often
/// as the convolution did.
/// </summary>
internal sealed unsafe class InputGradient
{
    private readonly int _strideY,
        _strideX;
    private readonly bool _coversAll;

    private InputGradient(ImmutableArray<InputPhase> phases, in ConvolutionShape shape, bool coversAll)
    {
        (Phases, _strideY, _strideX, _coversAll) = (phases, shape.StrideY, shape.StrideX, coversAll);
        Padding = phases.Aggregate(default(Halo), static (halo, phase) => halo.Union(phase.Convolution.Padding));
    }

    /// <summary>Phases that any tap reaches; at the positions of others the gradient is zero.</summary>
    public ImmutableArray<InputPhase> Phases { get; }

    /// <summary>What the halo of dy covers.</summary>
    public Halo Padding { get; }

    private bool IsDense => _strideY == 1 && _strideX == 1;

    /// <summary>The gradient of a convolution's input; null where groups are such that no blocked convolution takes them.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="input">Extents of its input.</param>
    /// <param name="upstream">Extents of dy.</param>
    public static InputGradient? From(in ConvolutionShape shape, BlockedLayout input, BlockedLayout upstream)
    {
        if (!BlockedConvolution.Supports(Exchanged(shape)))
            return null;
        (int sy, int sx) = (Math.Min(shape.StrideY, input.Height), Math.Min(shape.StrideX, input.Width));
        ImmutableArray<InputPhase>.Builder phases = ImmutableArray.CreateBuilder<InputPhase>();
        for (int y = 0; y < sy; y++)
        {
            if (
                AxisPhase.From(y, input.Height, upstream.Height, shape.KernelHeight, shape.StrideY, shape.DilationY, shape.Padding.Top)
                is not { } down
            )
                continue;
            for (int x = 0; x < sx; x++)
                if (
                    AxisPhase.From(x, input.Width, upstream.Width, shape.KernelWidth, shape.StrideX, shape.DilationX, shape.Padding.Left) is
                    { } right
                )
                    phases.Add(new(shape, down, right));
        }
        return new(phases.ToImmutable(), shape, phases.Count == sy * sx);
    }

    /// <summary>The convolution with inputs and outputs exchanged.</summary>
    public static ConvolutionShape Exchanged(in ConvolutionShape shape) =>
        shape with
        {
            InputChannels = shape.OutputChannels,
            OutputChannels = shape.InputChannels,
        };

    /// <summary>A plane that holds any of the phases; null where the only one is the gradient itself.</summary>
    public BlockedLayout? Plane(BlockedLayout gradient) =>
        IsDense
            ? null
            : gradient with
            {
                Height = (gradient.Height - 1) / _strideY + 1,
                Width = (gradient.Width - 1) / _strideX + 1,
                Halo = default,
            };

    /// <summary>Computes the gradient, or adds it to what is there; the halo is not touched.</summary>
    /// <param name="dy">The gradient of the convolution's result; its halo covers <see cref="Padding"/> and is zero.</param>
    /// <param name="kernels">For every phase its taps, turned and packed.</param>
    /// <param name="plane">Room for <see cref="Plane"/>.</param>
    public void Run(
        ReadOnlySpan<float> dy,
        BlockedLayout upstream,
        ReadOnlySpan<PackedKernel> kernels,
        Span<float> plane,
        Span<float> gradient,
        BlockedLayout layout,
        bool adds,
        Workers workers
    )
    {
        layout.Holds(gradient);
        if (!adds && !_coversAll)
            Clear(gradient, layout);
        for (int k = 0; k < Phases.Length; k++)
        {
            InputPhase phase = Phases[k];
            if (IsDense)
            {
                BlockedConvolution.Run(
                    phase.Convolution,
                    dy,
                    phase.Seen(upstream),
                    kernels[k],
                    [],
                    adds ? gradient : [],
                    adds ? layout : default,
                    Activation.None,
                    gradient,
                    layout,
                    workers
                );
                continue;
            }
            BlockedLayout own = layout with { Height = phase.Down.Positions, Width = phase.Right.Positions, Halo = default };
            BlockedConvolution.Run(
                phase.Convolution,
                dy,
                phase.Seen(upstream),
                kernels[k],
                [],
                [],
                default,
                Activation.None,
                plane[..own.Length],
                own,
                workers
            );
            fixed (
                float* from = plane,
                    to = gradient
            )
                using (Bounds.Know(from, plane.Length, to, gradient.Length))
                    workers.Run(own.Images * own.Blocks, new Placement(from, own, phase, _strideY, _strideX, to, layout, adds));
        }
    }

    private static void Clear(Span<float> gradient, BlockedLayout layout)
    {
        for (int plane = 0; plane < layout.Images * layout.Blocks; plane++)
        for (int row = 0; row < layout.Height; row++)
            gradient.Slice(layout.Pixel(0, 0, row, 0) + plane * layout.PlanePitch, layout.Width * BlockedLayout.ChannelBlock).Clear();
    }

    /// <summary>Puts one plane of a phase to its places.</summary>
    private readonly struct Placement(
        float* phase,
        BlockedLayout own,
        InputPhase place,
        int strideY,
        int strideX,
        float* gradient,
        BlockedLayout layout,
        bool adds
    ) : ILoopBody
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int plane)
        {
            int step = strideX * BlockedLayout.ChannelBlock;
            for (int row = 0; row < own.Height; row++)
            {
                float* from = phase + plane * own.PlanePitch + row * own.RowPitch;
                float* to = gradient + plane * layout.PlanePitch + layout.Pixel(0, 0, place.Down.First + row * strideY, place.Right.First);
                Bounds.Check(from, own.Width * BlockedLayout.ChannelBlock);
                Bounds.Check(to, (long)(own.Width - 1) * step + BlockedLayout.ChannelBlock);
                for (int column = own.Width; column > 0; column--, from += BlockedLayout.ChannelBlock, to += step)
                {
                    Vector512<float> value = Vector512.Load(from);
                    Vector512.Store(adds ? value + Vector512.Load(to) : value, to);
                }
            }
        }
    }
}
