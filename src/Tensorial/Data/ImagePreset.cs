using System.Collections.Immutable;

namespace Tensorial.Data;

/// <summary>How a family of networks takes its images: their size and their normalisation.</summary>
/// <param name="Name">What it is called by.</param>
/// <param name="Transform">How pictures are brought to one size.</param>
/// <param name="Normalization">What is done to their pixels.</param>
public sealed record ImagePreset(string Name, ImageTransform Transform, Normalization Normalization)
{
    private static readonly ImageTransform Classifier = new() { ShorterEdge = 256, Crop = new(224, 224) };

    /// <summary>
    /// <c>torchvision</c>: ImageNet classifiers of PyTorch. <c>yolo</c>: YOLOv5 and its successors, [0, 1]. <c>yolox</c>: BGR from 0 to
    /// 255, in the corner of the frame. <c>tf</c>: Keras and TensorFlow Slim, [-1, 1]. <c>caffe</c>: BGR from 0 to 255 less the means.
    /// </summary>
    public static ImmutableArray<ImagePreset> All { get; } =
    [
        new("torchvision", Classifier, Normalization.ImageNet),
        new("yolo", new() { Letterbox = new(640, 640) }, Normalization.None),
        new("yolox", new() { Letterbox = new(640, 640), AtCorner = true }, Normalization.None.AtScale(255).Reversed(true)),
        new("tf", Classifier, new([.5f], [.5f])),
        new("caffe", Classifier, new Normalization([103.939f, 116.779f, 123.68f], [1, 1, 1], isReversed: true).AtScale(255)),
    ];

    /// <exception cref="BadInputException">There is none of this name.</exception>
    public static ImagePreset Parse(string name) =>
        All.FirstOrDefault(preset => preset.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new BadInputException(
            $"'{name}' is no preset: there are {string.Join(", ", All.Select(static preset => preset.Name))}.{NearestWord.Hint(name, All.Select(static preset => preset.Name))}"
        );
}
