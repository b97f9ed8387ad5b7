using System.Numerics.Tensors;

namespace Tensorial.Data;

/// <summary>Normalises images of one shape, of bytes or floats.</summary>
internal sealed class PixelNormalizer
{
    private readonly int _channels,
        _plane;

    /// <summary>For every channel, what each of the 256 bytes becomes.</summary>
    private readonly float[] _table;

    /// <param name="name">What messages call the images.</param>
    /// <param name="normalization">What to do.</param>
    /// <param name="image">Extents of one image, channels first where there are three.</param>
    /// <exception cref="BadInputException">The normalisation is for another number of channels.</exception>
    public PixelNormalizer(string name, Normalization normalization, Shape image)
    {
        _channels = image.Rank > 1 ? image[0] : 1;
        _plane = image.ElementCount / _channels;
        normalization.Check(name, _channels);
        Normalization = normalization;
        _table = Table(normalization, _channels);
    }

    public Normalization Normalization { get; }

    /// <summary>One image.</summary>
    public void Apply(Tensor pixels, Span<float> to)
    {
        for (int channel = 0; channel < _channels; channel++)
        {
            int source = Normalization.IsReversed ? _channels - 1 - channel : channel;
            Span<float> plane = to.Slice(channel * _plane, _plane);
            if (pixels is Tensor<byte> bytes)
            {
                ReadOnlySpan<byte> from = bytes.Values.Slice(source * _plane, _plane);
                ReadOnlySpan<float> table = _table.AsSpan(channel * 256, 256);
                for (int index = 0; index < plane.Length; index++)
                    plane[index] = table[from[index]];
            }
            else
            {
                (float mean, float deviation) = Normalization.Of(channel, _channels);
                TensorPrimitives.Subtract(pixels.Of<float>().Values.Slice(source * _plane, _plane), mean, plane);
                TensorPrimitives.Divide(plane, deviation, plane);
            }
        }
    }

    /// <summary>The float32 arithmetic of torchvision's ToTensor and Normalize, so that a network sees the same bits as there.</summary>
    private static float[] Table(Normalization normalization, int channels)
    {
        float[] table = new float[channels * 256];
        for (int index = 0; index < table.Length; index++)
        {
            (float mean, float deviation) = normalization.Of(index / 256, channels);
            table[index] = ((index % 256 / 255f) - mean) / deviation;
        }
        return table;
    }
}
