using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// What the kernel of a layer meets at each place that it answers: the patch [i h w] of a convolution along any number of axes, the values
/// that a transposed one spreads there, the row or column of a dense layer.
/// </summary>
internal sealed class InputPatches(CompressibleLayer layer, LayerUse use)
{
    private readonly int _n = layer.Kernel.Shape.ElementCount / layer.Kernel.Shape[0];

    /// <summary>Some places of every image, the same ones for every network that is run on it.</summary>
    /// <param name="shape">Extents of the layer's input, batch first.</param>
    /// <param name="most">Places of an image, at most.</param>
    /// <param name="seed">Decides which.</param>
    public (int Image, int Place)[] Places(Shape shape, int most, int seed)
    {
        int count =
            use.Space > 0 ? Windows(shape).Aggregate(1, (all, window) => all * Written(window)) : shape.ElementCount / _n / shape[0];
        int images = shape[0];
        if (use.Space == 0 && use.SummedAxis == 0)
            (images, count) = (1, shape.ElementCount / _n);
        int[] all = [.. Enumerable.Range(0, count)];
        Random random = new(seed);
        return
        [
            .. from image in Enumerable.Range(0, images)
            from place in all.Length <= most ? all : random.GetItems(all, most)
            select (image, place),
        ];
    }

    /// <summary>[place, i h w]; zero beyond the edges.</summary>
    public float[] Of(Tensor<float> x, (int Image, int Place)[] places)
    {
        float[] patches = new float[places.Length * _n];
        if (use.Space == 0)
            Rows(x, places, patches);
        else
            Windowed(x, places, patches);
        return patches;
    }

    private void Rows(Tensor<float> x, (int Image, int Place)[] places, float[] patches)
    {
        // Neighbours along the summed axis are so far apart.
        int axis = use.SummedAxis,
            stride = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank),
            image = axis == 0 ? x.Shape.ElementCount : x.Shape.ElementCount / x.Shape[0];
        for (int k = 0; k < places.Length; k++)
        {
            int start = places[k].Image * image + places[k].Place / stride * _n * stride + places[k].Place % stride;
            for (int i = 0; i < _n; i++)
                patches[k * _n + i] = x.Values[start + i * stride];
        }
    }

    private void Windowed(Tensor<float> x, (int Image, int Place)[] places, float[] patches)
    {
        ImmutableArray<WindowAxis> windows = Windows(x.Shape);
        int channels = x.Shape[1],
            plane = x.Shape.ElementCountOf(2, x.Shape.Rank),
            taps = windows.Aggregate(1, static (count, window) => count * window.Taps);
        int[] offsets = new int[taps];
        for (int k = 0; k < places.Length; k++)
        {
            Offsets(windows, x.Shape, places[k].Place, offsets);
            for (int channel = 0, at = k * _n; channel < channels; channel++)
            {
                int start = (places[k].Image * channels + channel) * plane;
                foreach (int offset in offsets)
                    patches[at++] = offset < 0 ? 0 : x.Values[start + offset];
            }
        }
    }

    /// <summary>For each tap of the window at a place, which value of a plane it meets; -1 for none.</summary>
    private void Offsets(ImmutableArray<WindowAxis> windows, Shape shape, int place, int[] offsets)
    {
        offsets.AsSpan().Clear();
        int taps = offsets.Length,
            places = windows.Aggregate(1, (all, window) => all * Written(window));
        for (int axis = 0; axis < windows.Length; axis++)
        {
            WindowAxis window = windows[axis];
            int extent = shape[axis + 2];
            taps /= window.Taps;
            places /= Written(window);
            int at = place / places % Written(window);
            for (int k = 0; k < offsets.Length; k++)
            {
                int tap = k / taps % window.Taps;
                int read = use.IsTransposed ? SpreadFrom(window, at, tap) : at * window.Stride - window.Begin + tap * window.Dilation;
                offsets[k] = offsets[k] < 0 || (uint)read >= (uint)extent ? -1 : offsets[k] * extent + read;
            }
        }
    }

    /// <summary>Which value is spread to a place by a tap: the one whose window, as the convolution's it is the adjoint of, has it there.</summary>
    private static int SpreadFrom(WindowAxis window, int at, int tap)
    {
        int from = at + window.Begin - tap * window.Dilation;
        return from >= 0 && from % window.Stride == 0 ? from / window.Stride : -1;
    }

    /// <summary>The window of a transposed convolution is that of the one it is the adjoint of, whose input is what it writes.</summary>
    private int Written(WindowAxis window) => use.IsTransposed ? window.Input : window.Output;

    private ImmutableArray<WindowAxis> Windows(Shape shape)
    {
        Shape weights = use.IsTransposed
            ? [layer.Kernel.Shape[1] * layer.Groups, layer.Kernel.Shape[0] / layer.Groups, .. layer.Taps]
            : [layer.Kernel.Shape[0], layer.Kernel.Shape[1], .. layer.Taps];
        return use.Node.Operation is ConvolutionTranspose transposed
            ? transposed.Windows(shape, weights)
            : ((Convolution)use.Node.Operation).Windows(shape, weights);
    }
}
