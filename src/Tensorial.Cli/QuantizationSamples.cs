using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>
/// The samples of a quantization, in three parts that share none: for calibration, for the choice of layers under a limit, and for the test.
/// </summary>
/// <param name="Name">What the set is called.</param>
/// <param name="Calibration">Samples calibrated on, from so many at a time.</param>
/// <param name="Held">Samples the choice of layers is made on.</param>
/// <param name="Test">Samples the result is compared on.</param>
/// <param name="Calibrated">How many are calibrated on.</param>
/// <param name="Tested">How many are compared on.</param>
/// <param name="TestImages">The images compared on; null where the samples are arrays for several inputs.</param>
/// <param name="TrainingImages">The images calibrated on; likewise.</param>
internal sealed record QuantizationSamples(
    string Name,
    Func<int, IEnumerable<InputBatch>> Calibration,
    IEnumerable<InputBatch> Held,
    IEnumerable<InputBatch> Test,
    int Calibrated,
    int Tested,
    ImageSet? TestImages,
    ImageSet? TrainingImages
)
{
    /// <summary>Samples that the choice of layers is made on at most.</summary>
    private const int MostHeld = 5000;

    private const int Batch = 64;

    /// <summary>Extents of an image; null where samples are no images.</summary>
    public Shape? ImageShape => TestImages?.ImageShape;

    /// <summary>Opens the set that --data names, for a network.</summary>
    /// <param name="data">The set, for the test.</param>
    /// <param name="graph">The network.</param>
    /// <param name="calibration">Samples to calibrate on at most.</param>
    /// <exception cref="BadInputException">The set does not fit the network.</exception>
    public static QuantizationSamples Open(DataOptions data, Graph graph, int calibration)
    {
        if (InputArrays.ForInputsOf(graph, data.Source) is { } arrays)
            return From(arrays, data.Limit, calibration);
        data = data with { Source = data.Source.Suiting(graph) };
        ImageSet test = data.Open(),
            training = (data with { Split = DataSplit.Train, Limit = null }).Open();
        if (data.Split == DataSplit.Train || (training.Count == test.Count || data.Limit is not null) && IsSame(training, data))
            (training, test) = InParts(training, data.Limit);
        return From(graph, training, test, calibration);
    }

    private static bool IsSame(ImageSet training, DataOptions data)
    {
        ImageSet whole = (data with { Limit = null }).Open();
        return whole.Count == training.Count && whole.Fingerprint == training.Fingerprint;
    }

    private static (ImageSet Training, ImageSet Test) InParts(ImageSet all, int? limit)
    {
        if (all.Count < 2)
            throw new BadInputException(
                $"{all.Name} holds one sample: at least two are needed, to calibrate on one and to compare on the other."
            );
        int half = all.Count / 2;
        return (all.Take(half), all.Skip(half).Take(limit ?? int.MaxValue));
    }

    private static QuantizationSamples From(Graph read, ImageSet training, ImageSet test, int calibration)
    {
        Graph graph = read.WithImageShape(test.ImageShape);
        int count = Math.Min(calibration, training.Count);
        // Where there are no others, layers are chosen on those calibrated on.
        ImageSet held = count < training.Count ? training.Skip(Math.Max(count, training.Count - MostHeld)) : training;
        ImageSet calibrated = training.Take(count);
        return new(
            test.Name,
            batch => InputBatch.Images(graph, calibrated, batch),
            InputBatch.Images(graph, held, Batch),
            InputBatch.Images(graph, test, Batch),
            count,
            test.Count,
            test,
            calibrated
        );
    }

    private static QuantizationSamples From(InputArrays arrays, int? limit, int calibration)
    {
        if (arrays.Count < 2)
            throw new BadInputException(
                $"{arrays.Name} holds one sample: at least two are needed, to calibrate on one and to compare on the other."
            );
        int half = arrays.Count / 2,
            count = Math.Min(calibration, half),
            tested = Math.Min(limit ?? int.MaxValue, arrays.Count - half);
        (int first, int held) = count < half ? (count, Math.Min(half - count, MostHeld)) : (0, half);
        return new(
            arrays.Name,
            batch => arrays.Batches(0, count, batch),
            arrays.Batches(first, held, Batch),
            arrays.Batches(half, tested, Batch),
            count,
            tested,
            null,
            null
        );
    }

    /// <summary>What was compared on, for reports.</summary>
    public DataUse? TestUse(DataSplit split) => TestImages is null ? null : DataUse.From(TestImages, split);
}
