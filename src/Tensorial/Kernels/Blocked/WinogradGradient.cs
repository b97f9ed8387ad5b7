using System.Numerics.Tensors;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The gradient of a 3×3 kernel by Winograd's products: of y = Aᵀ((G g Gᵀ) ∘ (Bᵀ d B)) A, that for g is Gᵀ (Σ (A e Aᵀ) ∘ (Bᵀ d B)) G, e
/// being the gradient for y. The sums over all tiles are kept transformed, with products in place of the taps of
/// <see cref="KernelGradient"/>; they are transformed back once.
/// </summary>
internal static unsafe class WinogradGradient
{
    private const int Lanes = BlockedLayout.ChannelBlock,
        Square = Lanes * Lanes;

    /// <summary>Transformed floats at once: half a usual second-level cache.</summary>
    private const int ScratchFloats = 1 << 17;

    private const int LeastTiles = 8,
        MostTiles = 32;

    /// <summary>
    /// Pairs of channels beyond which the transformed sums, kept for every lane of a batch, would take more memory than they are worth.
    /// </summary>
    private const int MostPairs = 1 << 14;

    /// <summary>Outputs of a batch, for all its planes, from which it pays to transform the sums back.</summary>
    private const int LeastPixels = 6144;

    /// <summary>The fastest method for a batch of outputs.</summary>
    public static ConvolutionMethod Best(in ConvolutionShape shape, in BlockedLayout output) =>
        (long)shape.InputChannels * shape.OutputChannels > MostPairs
        || shape.InputChannels < Lanes / 2
        || (long)output.Images * output.Height * output.Width < LeastPixels
            ? ConvolutionMethod.Direct
            : ConvolutionChoice.Best(shape, output.Height, output.Width, Math.Min(output.Images, Images), 1);

    /// <summary>Images that are usually taken together.</summary>
    private const int Images = 8;

    /// <summary>Products of a method's transforms.</summary>
    public static int Products(ConvolutionMethod method) =>
        method == ConvolutionMethod.Winograd2 ? Winograd2.Tile * Winograd2.Tile : Winograd4.Tile * Winograd4.Tile;

    public static void Add<TWidth, TVector, TWinograd>(
        in ConvolutionShape shape,
        float* x,
        in BlockedLayout inputLayout,
        float* dy,
        in BlockedLayout outputLayout,
        float* sums
    )
        where TWidth : struct, IVectorWidth<TVector, float>
        where TVector : struct
        where TWinograd : struct, IWinograd
    {
        int products = TWinograd.Tile * TWinograd.Tile,
            step = TWinograd.Outputs;
        int down = (outputLayout.Height + step - 1) / step,
            right = (outputLayout.Width + step - 1) / step,
            tiles = outputLayout.Images * down * right;
        int most = Math.Clamp(ScratchFloats / (products * Lanes * (inputLayout.Blocks + outputLayout.Blocks)), LeastTiles, MostTiles);
        for (int first = 0; first < tiles; first += most)
        {
            int count = Math.Min(most, tiles - first),
                pitch = count * Lanes;
            // One line more than a plane needs, so that planes do not all fall into the same few lines of the first cache.
            int inputPlane = inputLayout.Blocks * pitch + Lanes,
                outputPlane = outputLayout.Blocks * pitch + Lanes;
            float* inputs = WinogradTile.Scratch(products * (inputPlane + outputPlane)),
                upstream = inputs + products * inputPlane;
            for (int tile = 0; tile < count; tile++)
            {
                (int rest, int column) = Math.DivRem(first + tile, right);
                (int image, int row) = Math.DivRem(rest, down);
                for (int block = 0; block < inputLayout.Blocks; block++)
                    WinogradTile.Input<TWidth, TVector, TWinograd>(
                        x,
                        inputLayout,
                        image,
                        block,
                        row * step - shape.Padding.Top,
                        column * step - shape.Padding.Left,
                        inputs + block * pitch + tile * Lanes,
                        inputPlane
                    );
                for (int block = 0; block < outputLayout.Blocks; block++)
                    WinogradTile.Upstream<TWidth, TVector, TWinograd>(
                        dy,
                        outputLayout,
                        image,
                        block,
                        row * step,
                        column * step,
                        upstream + block * pitch + tile * Lanes,
                        outputPlane
                    );
            }
            Strip strip = new()
            {
                Rows = 1,
                Pixels = count,
                InputStep = Lanes,
            };
            for (int o = 0; o < outputLayout.Blocks; o += 2)
            for (int i = 0; i < inputLayout.Blocks; i++)
            for (int product = 0; product < products; product++)
                KernelGradientTile.Block<TWidth, TVector>(
                    strip,
                    inputs + product * inputPlane + i * pitch,
                    upstream + product * outputPlane + o * pitch,
                    pitch,
                    Math.Min(2, outputLayout.Blocks - o),
                    sums + ((nint)(o * inputLayout.Blocks + i) * products + product) * Square,
                    inputLayout.Blocks * products * Square
                );
        }
    }

    /// <summary>
    /// Gᵀ m G for the products of a block of inputs by a block of outputs, [product][input][output], as [tap][input][output].
    /// </summary>
    public static void TransformBack(ConvolutionMethod method, ReadOnlySpan<float> products, Span<float> taps)
    {
        double[,] g = method == ConvolutionMethod.Winograd2 ? WinogradKernel.Filter<Winograd2>() : WinogradKernel.Filter<Winograd4>();
        int extent = g.GetLength(0);
        double[] whole = new double[extent * extent * Square],
            half = new double[3 * extent * Square],
            result = new double[Square];
        TensorPrimitives.ConvertTruncating(products, whole.AsSpan());
        for (int k = 0; k < 3; k++)
        for (int c = 0; c < extent; c++)
        {
            Span<double> to = half.AsSpan((k * extent + c) * Square, Square);
            for (int r = 0; r < extent; r++)
                TensorPrimitives.MultiplyAdd(whole.AsSpan((r * extent + c) * Square, Square), g[r, k], to, to);
        }
        for (int tap = 0; tap < 9; tap++)
        {
            result.AsSpan().Clear();
            for (int c = 0; c < extent; c++)
                TensorPrimitives.MultiplyAdd(half.AsSpan((tap / 3 * extent + c) * Square, Square), g[c, tap % 3], result, result);
            TensorPrimitives.ConvertTruncating<double, float>(result, taps.Slice(tap * Square, Square));
        }
    }
}
