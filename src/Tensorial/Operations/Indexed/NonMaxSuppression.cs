using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Of boxes [n,k,4] with scores [n,c,k], those that no better box of the same class overlaps: rows (image, class, box), the best first.
/// Further operands are the most boxes for each class of an image, the largest intersection over union, and the least score.
/// </summary>
/// <param name="Centred">Whether boxes are (centre x, centre y, width, height) instead of two opposite corners (y, x, y, x).</param>
public sealed record NonMaxSuppression(bool Centred = false) : ValueShaped
{
    private protected override Tensor[] Compute(ReadOnlySpan<Tensor?> inputs, Workers workers)
    {
        Tensor<float> boxes = Floats(inputs, 0, "boxes"),
            scores = Floats(inputs, 1, "scores");
        if (
            boxes.Shape is not [_, _, 4]
            || scores.Shape.Rank != 3
            || scores.Shape[0] != boxes.Shape[0]
            || scores.Shape[2] != boxes.Shape[1]
        )
            throw new ShapeException($"boxes of {boxes.Shape} and scores of {scores.Shape} are no n×k×4 and n×c×k.");
        long most = inputs.Optional(2)?.Single("max_output_boxes_per_class").To(ElementType.Int64).Of<long>().Values[0] ?? 0;
        float overlap = inputs.Optional(3)?.Single("iou_threshold").To(ElementType.Float32).Of<float>().Values[0] ?? 0;
        float? least = inputs.Optional(4)?.Single("score_threshold").To(ElementType.Float32).Of<float>().Values[0];
        List<long> rows = [];
        (int images, int classes, int count) = (scores.Shape[0], scores.Shape[1], scores.Shape[2]);
        for (int image = 0; image < images; image++)
        for (int kind = 0; kind < classes; kind++)
        {
            ReadOnlyMemory<float> own = scores.Memory.Slice((image * classes + kind) * count, count);
            foreach (int box in Chosen(boxes.Values.Slice(image * count * 4, count * 4), own.Span, most, overlap, least))
                rows.AddRange([image, kind, box]);
        }
        return [new Tensor<long>([rows.Count / 3, 3], rows.ToArray())];
    }

    private List<int> Chosen(ReadOnlySpan<float> boxes, ReadOnlySpan<float> scores, long most, float overlap, float? least)
    {
        float[] values = scores.ToArray();
        int[] order =
        [
            .. Enumerable
                .Range(0, values.Length)
                .Where(box => least is not { } bound || values[box] > bound)
                .OrderByDescending(box => values[box]),
        ];
        List<int> chosen = [];
        foreach (int box in order)
        {
            if (chosen.Count >= most)
                break;
            bool free = true;
            foreach (int better in chosen)
                if (Overlap(boxes.Slice(4 * box, 4), boxes.Slice(4 * better, 4)) > overlap)
                {
                    free = false;
                    break;
                }
            if (free)
                chosen.Add(box);
        }
        return chosen;
    }

    /// <summary>Intersection over union.</summary>
    private float Overlap(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        (float top, float left, float bottom, float right) = Corners(one);
        (float otherTop, float otherLeft, float otherBottom, float otherRight) = Corners(other);
        float height = Math.Min(bottom, otherBottom) - Math.Max(top, otherTop),
            width = Math.Min(right, otherRight) - Math.Max(left, otherLeft);
        if (height <= 0 || width <= 0)
            return 0;
        float shared = height * width,
            all = (bottom - top) * (right - left) + (otherBottom - otherTop) * (otherRight - otherLeft) - shared;
        return all <= 0 ? 0 : shared / all;
    }

    private (float Top, float Left, float Bottom, float Right) Corners(ReadOnlySpan<float> box) =>
        Centred
            ? (box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2)
            : (Math.Min(box[0], box[2]), Math.Min(box[1], box[3]), Math.Max(box[0], box[2]), Math.Max(box[1], box[3]));

    private static Tensor<float> Floats(ReadOnlySpan<Tensor?> inputs, int index, string name) =>
        inputs.Optional(index) switch
        {
            null => throw new BadInputException($"input {index} ({name}) is missing."),
            { } tensor when tensor.ElementType.IsFloating() => tensor.To(ElementType.Float32).Of<float>(),
            var tensor => throw new BadInputException(
                $"input {index} ({name}) must hold floating-point numbers, not {tensor.ElementType}."
            ),
        };
}
