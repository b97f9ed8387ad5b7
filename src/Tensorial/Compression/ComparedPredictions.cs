using Tensorial.Analysis;

namespace Tensorial.Compression;

/// <summary>What a compared network predicts, as it is kept from one run to the next.</summary>
/// <param name="KlDivergence">Mean KL divergence from the dense network's predictions, nats; null where no output scores classes.</param>
/// <param name="OutputError">Relative error of the outputs.</param>
/// <param name="Agreement">Part of the images, 0 to 1, that get the class that the dense network gives; null where no output scores classes.</param>
/// <param name="Top1">Part classified correctly; null without labels.</param>
/// <param name="Dense">How well the dense network classifies; null without labels.</param>
internal sealed record ComparedPredictions(double? KlDivergence, double OutputError, double? Agreement, double? Top1, Evaluation? Dense)
{
    /// <summary>What was kept under a name; null where it was not, or not all of it.</summary>
    public static ComparedPredictions? Find(ResultCache memory, string name)
    {
        // The error is kept last, and says that the others are there.
        if (Number("error") is not { } error)
            return null;
        return new(
            Number("kl"),
            error,
            Number("agreement"),
            Number("top1"),
            Number("dense samples") is { } samples
            && Number("dense top1") is { } top1
            && Number("dense top5") is { } top5
            && Number("dense loss") is { } loss
                ? new((int)samples, top1, top5, loss)
                : null
        );

        double? Number(string what) => memory.Find($"{name} {what}");
    }

    /// <summary>Keeps it under a name.</summary>
    public void AddTo(ResultCache memory, string name)
    {
        Add("kl", KlDivergence);
        Add("agreement", Agreement);
        Add("top1", Top1);
        Add("dense samples", Dense?.Samples);
        Add("dense top1", Dense?.Top1);
        Add("dense top5", Dense?.Top5);
        Add("dense loss", Dense?.Loss);
        Add("error", OutputError);

        void Add(string what, double? value)
        {
            if (value is { } known)
                memory.Add($"{name} {what}", known);
        }
    }
}
