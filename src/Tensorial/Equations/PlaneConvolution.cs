using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Equations;

/// <summary>
/// A step in float32 that is a convolution of feature maps, or one of its two gradients, on the kernels of networks: one or two convolved
/// axes, y = x * w with x and y as batch, groups, channels, rows, columns. Which of the three is computed says which of the three kernels
/// it is.
/// </summary>
internal sealed class PlaneConvolution
{
    /// <summary>Multiply-accumulates from which it pays to bring feature maps into blocks and back.</summary>
    private const double LeastMacs = 1 << 17;

    /// <summary>Multiplications that blocks of 16 channels may do for each that is wanted.</summary>
    private const double MostWaste = 6;

    /// <summary>Positions of all images from which a transformed kernel is worth its transform.</summary>
    private const int LeastPositions = 1024;

    /// <summary>Floats of feature maps that are in blocks at once on a thread: half a usual second-level cache.</summary>
    private const int PieceFloats = 1 << 17;

    /// <summary>
    /// Parts of a batch that sum a kernel's gradient on their own, whatever the number of threads; fewer where the sums take much memory.
    /// </summary>
    private const int Lanes = 8;

    private const int MostSums = 1 << 22;

    [ThreadStatic]
    private static float[]? t_scratch;

    private readonly int _product;
    private readonly PlaneRoles _roles;
    private readonly ConvolutionShape _shape;
    private readonly InputGradient? _back;
    private readonly BlockedLayout _input,
        _output;
    private PackedKernel[]? _spare;

    private PlaneConvolution(
        PlaneRoles roles,
        int product,
        ConvolutionShape shape,
        InputGradient? back,
        BlockedLayout input,
        BlockedLayout output
    ) => (_roles, _product, _shape, _back, _input, _output) = (roles, product, shape, back, input, output);

    /// <summary>The step, where these kernels do it, and do it well.</summary>
    /// <param name="pair">The step.</param>
    /// <param name="layouts">Where the values of the left term, the right one and the product lie.</param>
    public static PlaneConvolution? From(Pair pair, params ReadOnlySpan<Layout> layouts)
    {
        const int product = 2;
        if (pair.Macs() < LeastMacs || PlaneRoles.From(pair, layouts) is not { } roles)
            return null;
        BlockedLayout input = roles.Map(roles.X),
            output = roles.Map(roles.Y);
        ConvolutionShape shape = roles.Shape;
        InputGradient? back = null;
        if (product == roles.X && (back = InputGradient.From(shape, input, output)) is null)
            return null;
        ConvolutionShape computed = back is null ? shape : InputGradient.Exchanged(shape);
        if (!BlockedConvolution.Supports(computed) || Waste(computed) > MostWaste)
            return null;
        return new(roles, product, shape, back, input with { Halo = product == roles.X ? default : shape.Padding }, output);
    }

    /// <summary>Floats of feature maps in blocks, and of sums and kernels, on one thread.</summary>
    public long Scratch
    {
        get
        {
            if (_product == _roles.Window)
            {
                (ConvolutionMethod method, int lanes) = Sums();
                int both = _input.ImagePitch + _output.ImagePitch;
                return (long)PieceOf(both, _input.Images) * both
                    + (long)lanes * KernelGradient.SumsLength(_shape, method)
                    + _shape.KernelCount;
            }
            (BlockedLayout source, BlockedLayout target, BlockedLayout plane) = Maps();
            int floats = source.ImagePitch + target.ImagePitch + plane.ImagePitch;
            return (long)PieceOf(floats, target.Images) * floats + 2L * _shape.KernelCount;
        }
    }

    /// <summary>Computes the product into memory that may hold anything.</summary>
    public void Run(Memory<float> left, Memory<float> right, Memory<float> product, Workers workers)
    {
        Memory<float> Of(int place) =>
            place == 0 ? left
            : place == 1 ? right
            : product;
        Memory<float> x = Of(_roles.X),
            y = Of(_roles.Y),
            w = Of(_roles.Window);
        if (_product == _roles.Window)
            CorrelateBack(x, y, w.Span, workers);
        else
            Convolve(_product == _roles.Y ? x : y, w.Span, product, workers);
    }

    /// <summary>The convolution, or the one that carries a gradient back, a few images at a time.</summary>
    private void Convolve(Memory<float> from, ReadOnlySpan<float> window, Memory<float> to, Workers workers)
    {
        (BlockedLayout source, BlockedLayout target, BlockedLayout plane) = Maps();
        PackedKernel[] kernels = Packed(window, target);
        int images = target.Images,
            floats = source.ImagePitch + target.ImagePitch + plane.ImagePitch;
        int size = PieceOf(floats, Math.Max(1, images / workers.Count)),
            pieces = (images + size - 1) / size;
        Workers inside = pieces > 1 ? Workers.Serial : workers;
        workers.For(
            pieces,
            piece =>
            {
                int first = piece * size,
                    count = Math.Min(size, images - first);
                BlockedLayout own = source with { Images = count },
                    made = target with { Images = count };
                Span<float> room = Own(count * floats),
                    results = room[..made.Length],
                    values = room.Slice(made.Length, own.Length);
                BlockedHalo.Clear(values, own, inside);
                BlockedConversion.ToBlocked(Rows(from, own, first), values, own, inside);
                if (_back is null)
                    BlockedConvolution.Run(_shape, values, own, kernels[0], [], [], default, Activation.None, results, made, inside);
                else
                    _back.Run(values, own, kernels, room[(made.Length + own.Length)..], results, made, adds: false, inside);
                BlockedConversion.ToPlain(results, made, Rows(to, made, first), inside);
            }
        );
        _spare = kernels;
    }

    /// <summary>Images that are in blocks at once, of so many floats each.</summary>
    private static int PieceOf(int floats, int most) => Math.Clamp(PieceFloats / floats, 1, most);

    /// <summary>What is read, what is made, and a phase of what is made in between.</summary>
    private (BlockedLayout Source, BlockedLayout Target, BlockedLayout Plane) Maps() =>
        _back is null ? (_input, _output, default) : (_output with { Halo = _back.Padding }, _input, _back.Plane(_input) ?? default);

    /// <summary>How a kernel's gradient is summed, and the parts of the batch that sum on their own.</summary>
    private (ConvolutionMethod Method, int Lanes) Sums()
    {
        ConvolutionMethod method = WinogradGradient.Best(_shape, _output);
        return (method, Math.Clamp(MostSums / KernelGradient.SumsLength(_shape, method), 1, Math.Min(Lanes, _input.Images)));
    }

    /// <summary>The gradient of the kernel.</summary>
    private void CorrelateBack(Memory<float> x, Memory<float> y, Span<float> window, Workers workers)
    {
        (ConvolutionMethod method, int lanes) = Sums();
        int length = KernelGradient.SumsLength(_shape, method),
            images = _input.Images;
        float[] sums = new float[lanes * length],
            gradient = new float[_shape.KernelCount];
        int size = PieceOf(_input.ImagePitch + _output.ImagePitch, images);
        workers.For(
            lanes,
            lane =>
            {
                int end = (int)((long)(lane + 1) * images / lanes);
                for (int first = (int)((long)lane * images / lanes), count; first < end; first += count)
                {
                    count = Math.Min(size, end - first);
                    BlockedLayout input = _input with { Images = count },
                        output = _output with { Images = count };
                    Span<float> room = Own(input.Length + output.Length),
                        values = room[..input.Length],
                        upstream = room[input.Length..];
                    BlockedHalo.Clear(values, input, Workers.Serial);
                    BlockedConversion.ToBlocked(Rows(x, input, first), values, input, Workers.Serial);
                    BlockedConversion.ToBlocked(Rows(y, output, first), upstream, output, Workers.Serial);
                    KernelGradient.Add(_shape, method, values, input, upstream, output, sums.AsSpan(lane * length, length));
                }
            }
        );
        KernelGradient.Unpack(_shape, method, sums, lanes, gradient, workers);
        int[] places = _roles.Places;
        for (int k = 0; k < places.Length; k++)
            window[places[k]] = gradient[k];
    }

    /// <summary>
    /// The kernel packed, once for every phase of a gradient; memory of the last call is used again unless another call has it.
    /// </summary>
    private PackedKernel[] Packed(ReadOnlySpan<float> window, BlockedLayout target)
    {
        float[] kernel = new float[_shape.KernelCount];
        int[] places = _roles.Places;
        for (int k = 0; k < kernel.Length; k++)
            kernel[k] = window[places[k]];
        PackedKernel[]? spare = Interlocked.Exchange(ref _spare, null);
        return _back is null
            ? [Pack(kernel, _shape, target.Height, target.Width, 0)]
            :
            [
                .. _back.Phases.Select(
                    (phase, k) => Pack(phase.Turn(kernel), phase.Convolution, phase.Down.Positions, phase.Right.Positions, k)
                ),
            ];

        PackedKernel Pack(float[] values, ConvolutionShape shape, int height, int width, int index)
        {
            if (spare is not null)
            {
                spare[index].Renew(values, shape);
                return spare[index];
            }
            bool many = (long)target.Images * height * width >= LeastPositions;
            return BlockedConvolution.Pack(
                values,
                shape,
                many ? ConvolutionChoice.Best(shape, height, width, Math.Min(target.Images, UsualPiece), 1) : ConvolutionMethod.Direct
            );
        }
    }

    /// <summary>Images of a piece, as far as the choice of a method goes.</summary>
    private const int UsualPiece = 8;

    private static Span<float> Rows(Memory<float> values, in BlockedLayout layout, int first)
    {
        int image = layout.Channels * layout.Height * layout.Width;
        return values.Span.Slice(first * image, layout.Images * image);
    }

    private static double Waste(in ConvolutionShape shape)
    {
        ConvolutionShape blocked = shape.InBlocks();
        double padded = shape.IsDepthwise ? Padded(shape.OutputChannels) : (double)blocked.InputChannels * Padded(blocked.OutputsPerGroup);
        return padded / (shape.IsDepthwise ? shape.OutputChannels : (double)shape.OutputChannels * shape.InputsPerGroup);

        static int Padded(int channels) =>
            (channels + BlockedLayout.ChannelBlock - 1) / BlockedLayout.ChannelBlock * BlockedLayout.ChannelBlock;
    }

    /// <summary>Aligned memory that each thread keeps for its next call.</summary>
    private static Span<float> Own(int count)
    {
        if (t_scratch is null || t_scratch.Length < count + BlockedLayout.ChannelBlock)
            t_scratch = GC.AllocateUninitializedArray<float>(count + BlockedLayout.ChannelBlock, pinned: true);
        return t_scratch.AsSpan(AlignedStart.Of(t_scratch), count);
    }
}
