namespace Tensorial.Graphs;

/// <summary>Residual networks (He et al. 2016): the shallow, narrow ones for CIFAR and the wide ones for ImageNet.</summary>
internal static class ResNets
{
    /// <summary>Depth 6 n + 2: three stages of n blocks with 16, 32 and 64 channels, a projection where the extents change.</summary>
    public static Graph Cifar(int depth, Shape image, int classes, int seed)
    {
        if (depth < 8 || depth % 6 != 2)
            throw new BadInputException($"A residual network for CIFAR has 6 n + 2 layers (20, 32, 44, …), not {depth}.");
        NetworkBuilder net = new($"resnet{depth}", image, seed);
        Features x = Stem(net, 16, 3, 1, 1);
        for (int stage = 0; stage < 3; stage++)
        for (int block = 0; block < depth / 6; block++)
            x = Basic(net, $"layer{stage + 1}.{block}", x, 16 << stage, stage > 0 && block == 0 ? 2 : 1);
        return net.ToGraph(net.Dense("fc", net.GlobalAverage("pool", x), classes));
    }

    /// <summary>
    /// Depth 18, 34 (blocks of two convolutions) or 50 (bottlenecks). Images below 64 pixels get the stem of CIFAR networks.
    /// </summary>
    public static Graph ImageNet(int depth, Shape image, int classes, int seed)
    {
        int[] blocks = depth switch
        {
            18 => [2, 2, 2, 2],
            34 or 50 => [3, 4, 6, 3],
            _ => throw new BadInputException($"A residual network for ImageNet has 18, 34 or 50 layers here, not {depth}."),
        };
        NetworkBuilder net = new($"resnet{depth}", image, seed);
        Features x = image[1] < 64 ? Stem(net, 64, 3, 1, 1) : net.MaxPool("maxpool", Stem(net, 64, 7, 2, 3), 3, 2, 1);
        for (int stage = 0; stage < 4; stage++)
        for (int block = 0; block < blocks[stage]; block++)
        {
            int stride = stage > 0 && block == 0 ? 2 : 1;
            x =
                depth < 50
                    ? Basic(net, $"layer{stage + 1}.{block}", x, 64 << stage, stride)
                    : Bottleneck(net, $"layer{stage + 1}.{block}", x, 64 << stage, stride);
        }
        return net.ToGraph(net.Dense("fc", net.GlobalAverage("avgpool", x), classes));
    }

    private static Features Stem(NetworkBuilder net, int channels, int kernel, int stride, int padding) =>
        net.Relu("relu", net.BatchNormalization("bn1", net.Convolution("conv1", net.Input, channels, kernel, stride, padding)));

    private static Features Basic(NetworkBuilder net, string name, Features x, int channels, int stride)
    {
        Features y = Normalized(net, $"{name}.conv1", $"{name}.bn1", x, channels, 3, stride);
        y = Normalized(net, $"{name}.conv2", $"{name}.bn2", net.Relu($"{name}.relu1", y), channels, 3, 1);
        return Joined(net, name, x, y, stride);
    }

    /// <summary>1×1 down, 3×3, 1×1 up to four times the channels; the stride in the middle.</summary>
    private static Features Bottleneck(NetworkBuilder net, string name, Features x, int channels, int stride)
    {
        Features y = net.Relu($"{name}.relu1", Normalized(net, $"{name}.conv1", $"{name}.bn1", x, channels, 1, 1));
        y = net.Relu($"{name}.relu2", Normalized(net, $"{name}.conv2", $"{name}.bn2", y, channels, 3, stride));
        return Joined(net, name, x, Normalized(net, $"{name}.conv3", $"{name}.bn3", y, 4 * channels, 1, 1), stride);
    }

    private static Features Joined(NetworkBuilder net, string name, Features x, Features y, int stride)
    {
        if (x.Extents != y.Extents)
            x = Normalized(net, $"{name}.downsample.0", $"{name}.downsample.1", x, y.Channels, 1, stride);
        return net.Relu($"{name}.relu", net.Add($"{name}.add", y, x));
    }

    private static Features Normalized(
        NetworkBuilder net,
        string convolution,
        string norm,
        Features x,
        int channels,
        int kernel,
        int stride
    ) => net.BatchNormalization(norm, net.Convolution(convolution, x, channels, kernel, stride, kernel / 2));
}
