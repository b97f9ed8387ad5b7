using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Onnx;

namespace Tensorial.Tests.Data;

public class SampleTests
{
    /// <summary>942 of the thousand (samples/README.md); rounding may move an image or two.</summary>
    [Fact]
    public void The_network_recognises_as_many_of_the_images_as_where_it_was_trained()
    {
        ImageSet images = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None);
        using Inference network = new(OnnxFile.Read(Sample.Model, "sample"), threads: 1);
        int right = 0;
        for (int first = 0; first < images.Count; first += 100)
        {
            Tensor<float> logits = network.Run(images.Batch(first, 100));
            for (int image = 0; image < 100; image++)
            {
                ReadOnlySpan<float> scores = logits.Values.Slice(image * 10, 10);
                if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores) == images.Labels[first + image])
                    right++;
            }
        }
        Assert.InRange(right, 940, 944);
    }
}
