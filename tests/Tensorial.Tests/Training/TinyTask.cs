using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Tests.Training;

/// <summary>A task that a small network learns within seconds: which quarter of an image is bright.</summary>
internal static class TinyTask
{
    public static ImageSet Images(int count = 192, int seed = 1)
    {
        Random random = new(seed);
        Tensor<byte> pixels = new([count, 1, 8, 8]);
        int[] labels = new int[count];
        for (int image = 0; image < count; image++)
        {
            labels[image] = random.Next(4);
            for (int pixel = 0; pixel < 64; pixel++)
            {
                bool bright = pixel / 32 == labels[image] / 2 && pixel % 8 / 4 == labels[image] % 2;
                pixels.Values[image * 64 + pixel] = (byte)Math.Clamp((bright ? 150 : 90) + random.Next(-60, 61), 0, 255);
            }
        }
        return new("quarters", pixels, labels, 4, new([0.4f], [0.2f]));
    }

    public static Graph Network(int seed = 0)
    {
        NetworkBuilder net = new("tiny", [1, 8, 8], seed);
        Features x = net.Relu("relu1", net.BatchNormalization("bn1", net.Convolution("conv1", net.Input, 8, 3, padding: 1)));
        Features y = net.BatchNormalization("bn2", net.Convolution("conv2", x, 8, 3, padding: 1));
        x = net.MaxPool("pool", net.Relu("relu2", net.Add("add", y, x)), 2, 2);
        return net.ToGraph(net.Dense("fc", net.Flatten("flat", x), 4));
    }
}
