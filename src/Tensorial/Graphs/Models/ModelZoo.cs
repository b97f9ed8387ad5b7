namespace Tensorial.Graphs;

/// <summary>Networks of the literature, with fresh weights.</summary>
public static class ModelZoo
{
    private static readonly (string Name, double LearningRate, Func<Shape, int, int, Graph> Build)[] Models =
    [
        ("lenet5", 0.05, LeNet5),
        ("cnn4", 0.005, FourLayers),
        .. ((int[])[20, 32, 44, 56, 110]).Select(static depth =>
            (
                $"resnet{depth}",
                UsualRate,
                (Func<Shape, int, int, Graph>)((image, classes, seed) => ResNets.Cifar(depth, image, classes, seed))
            )
        ),
        .. ((int[])[18, 34, 50]).Select(static depth =>
            (
                $"resnet{depth}",
                UsualRate,
                (Func<Shape, int, int, Graph>)((image, classes, seed) => ResNets.ImageNet(depth, image, classes, seed))
            )
        ),
    ];

    private const double UsualRate = 0.1;

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => Models.Select(static model => model.Name);

    /// <summary>Whether a model has this name.</summary>
    public static bool Knows(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// A learning rate at which fresh weights train by gradient descent with momentum 0.9 and batches of 128. Networks whose last dense layer
    /// reads whole feature maps take less: its curvature grows with the number of features.
    /// </summary>
    /// <param name="name">Its name; the usual rate of others is 0.1.</param>
    public static double LearningRateOf(string name) =>
        Models
            .Where(model => model.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(static model => model.LearningRate)
            .FirstOrDefault(UsualRate);

    /// <summary>
    /// A network by its name: <c>lenet5</c>, <c>cnn4</c>, <c>resnet20</c> to <c>resnet110</c> (CIFAR), <c>resnet18</c>, <c>34</c>,
    /// <c>50</c>.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="image">Channels, height and width of an image.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">Decides the weights.</param>
    /// <exception cref="BadInputException">No such network; the message names all.</exception>
    public static Graph Create(string name, Shape image, int classes, int seed)
    {
        foreach ((string known, _, Func<Shape, int, int, Graph> build) in Models)
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
                return build(image, classes, seed);
        throw new BadInputException(
            $"'{name}' is no ready-made network; there are {string.Join(", ", Names)}.{NearestWord.Hint(name, Names)}"
        );
    }

    /// <summary>
    /// LeCun et al. 1998, with rectified units and maximum pooling: convolutions of 6 and 16 channels, dense layers of 120 and 84.
    /// </summary>
    private static Graph LeNet5(Shape image, int classes, int seed)
    {
        NetworkBuilder net = new("lenet5", image, seed);
        // Images of 28×28 are seen as the paper's 32×32.
        Features x = net.Relu("relu1", net.Convolution("conv1", net.Input, 6, 5, padding: image[1] < 32 ? 2 : 0, bias: true));
        x = net.Relu("relu2", net.Convolution("conv2", net.MaxPool("pool1", x, 2, 2), 16, 5, bias: true));
        x = net.Flatten("flatten", net.MaxPool("pool2", x, 2, 2));
        x = net.Relu("relu4", net.Dense("fc2", net.Relu("relu3", net.Dense("fc1", x, 120)), 84));
        return net.ToGraph(net.Dense("fc3", x, classes));
    }

    /// <summary>Four convolutions of 3×3 with 32, 32, 64 and 64 channels in pairs before maximum pooling, then a dense layer.</summary>
    private static Graph FourLayers(Shape image, int classes, int seed)
    {
        NetworkBuilder net = new("cnn4", image, seed);
        Features x = net.Input;
        foreach ((int channels, int pair) in ((int, int)[])[(32, 1), (64, 2)])
        {
            x = net.Relu(
                $"relu{2 * pair - 1}",
                net.BatchNormalization($"bn{2 * pair - 1}", net.Convolution($"conv{2 * pair - 1}", x, channels, 3, padding: 1))
            );
            x = net.Relu(
                $"relu{2 * pair}",
                net.BatchNormalization($"bn{2 * pair}", net.Convolution($"conv{2 * pair}", x, channels, 3, padding: 1))
            );
            x = net.MaxPool($"pool{pair}", x, 2, 2);
        }
        return net.ToGraph(net.Dense("fc", net.Flatten("flatten", x), classes));
    }
}
