using Tensorial.Analysis;

namespace Tensorial.Tests.Reports;

/// <summary>Analyses of networks that do not exist, with spectra that fall like a power of k: shapes are real, numbers are not.</summary>
internal static class MadeUp
{
    private static readonly (string Rows, string Columns)[] Cuts =
    [
        ("o", "ihw"),
        ("i", "ohw"),
        ("h", "oiw"),
        ("w", "oih"),
        ("oi", "hw"),
        ("oh", "iw"),
        ("ow", "ih"),
    ];

    /// <summary>The shapes of ResNet-32 for CIFAR-10: 31 convolutions and a dense layer.</summary>
    public static AnalysisReport ResNet32(bool withData = true)
    {
        List<(string Name, int[] Shape)> shapes = [("conv1.weight", [16, 3, 3, 3])];
        int before = 16;
        foreach ((int stage, int width) in (ReadOnlySpan<(int, int)>)[(1, 16), (2, 32), (3, 64)])
        {
            for (int block = 0; block < 5; block++)
            {
                shapes.Add(($"layer{stage}.{block}.conv1.weight", [width, before, 3, 3]));
                shapes.Add(($"layer{stage}.{block}.conv2.weight", [width, width, 3, 3]));
                before = width;
            }
        }
        shapes.Add(("fc.weight", [10, 64]));
        return Of([.. shapes.Select((s, k) => Layer(s.Name, s.Shape, 0.25 + (0.5 * k / shapes.Count)))], withData);
    }

    /// <summary>The shapes of ResNet-50 for ImageNet, 53 convolutions and a dense layer, and a sweep of all of them.</summary>
    public static AnalysisReport ResNet50()
    {
        List<(string Name, int[] Shape)> shapes = [("conv1.weight", [64, 3, 7, 7])];
        int before = 64;
        foreach ((int stage, int blocks, int width) in (ReadOnlySpan<(int, int, int)>)[(1, 3, 64), (2, 4, 128), (3, 6, 256), (4, 3, 512)])
        {
            for (int block = 0; block < blocks; block++)
            {
                shapes.Add(($"layer{stage}.{block}.conv1.weight", [width, before, 1, 1]));
                shapes.Add(($"layer{stage}.{block}.conv2.weight", [width, width, 3, 3]));
                shapes.Add(($"layer{stage}.{block}.conv3.weight", [4 * width, width, 1, 1]));
                if (block == 0)
                    shapes.Add(($"layer{stage}.0.downsample.0.weight", [4 * width, before, 1, 1]));
                before = 4 * width;
            }
        }
        shapes.Add(("fc.weight", [1000, 2048]));
        return Of([.. shapes.Select((s, k) => Layer(s.Name, s.Shape, 0.25 + (0.5 * k / shapes.Count)))], withData: true, ranks: 10);
    }

    /// <summary>A network of equal layers under these names.</summary>
    public static AnalysisReport Named(IEnumerable<string> names, bool withData = true) =>
        Of([.. names.Select(static name => Layer(name, [8, 4, 3, 3], 0.5))], withData);

    public static AnalysisReport Of(ValueList<LayerAnalysis> layers, bool withData, int ranks = 7)
    {
        AnalysisReport report = new()
        {
            Provenance = new()
            {
                Version = "0.1.0",
                CommandLine = "tensorial analyze made-up.onnx",
                Date = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
                Model = new("made-up.onnx", new string('a', 64), 1_900_000),
                Data = withData ? new("cifar10", "test", 10_000, "0123456789abcdef") : null,
                Machine = new("Linux x64", ".NET 10", 4, 2),
                Seconds = 91,
            },
            Model = new(
                "made-up",
                layers.Sum(static l => l.Parameters) + 2000,
                layers.Sum(static l => l.Parameters),
                layers.Sum(static l => l.Macs)
            ),
            Layers = layers,
            Uncut = [new("bn1.weight", "/bn1", [16], "it has one axis")],
        };
        if (!withData)
            return report;
        List<TruncationResult> truncations = [];
        foreach (string cut in layers.SelectMany(static l => l.Cuts).Select(static c => c.Cut).Distinct())
        {
            foreach (double fraction in Enumerable.Range(1, ranks).Select(k => (double)k / ranks))
            {
                truncations.Add(Truncation("all", [.. layers.Where(l => l.Cuts.Any(c => c.Cut == cut))], cut, fraction, 3));
                foreach (LayerAnalysis layer in layers.Where(l => l.Cuts.Any(c => c.Cut == cut)))
                    truncations.Add(Truncation(layer.Name, [layer], cut, fraction, 0.3));
            }
        }
        return report with
        {
            Baseline = new(10_000, 0.9263, 0.9974, 0.31),
            Truncations = [.. truncations],
            PlannedTruncations = truncations.Count,
        };
    }

    /// <summary>A kernel whose singular values along every cut fall as k to the power of minus <paramref name="decay"/>.</summary>
    public static LayerAnalysis Layer(string name, int[] shape, double decay)
    {
        string[] axes = shape.Length == 2 ? ["o", "i"] : ["o", "i", "h", "w"];
        int Extent(string letters) => letters.Aggregate(1, (product, letter) => product * shape[Array.IndexOf(axes, letter.ToString())]);
        return new()
        {
            Name = name,
            Node = "/" + name,
            Operation = shape.Length == 2 ? "Gemm" : "Conv",
            Shape = [.. shape],
            Axes = [.. axes],
            Parameters = shape.Aggregate(1L, static (a, b) => a * b),
            Macs = shape.Aggregate(64L, static (a, b) => a * b),
            Norm = 7.5,
            Cuts =
            [
                .. (shape.Length == 2 ? [("o", "i")] : Cuts).Select(c => new CutSpectrum(
                    $"{c.Item1}|{c.Item2}",
                    Extent(c.Item1),
                    Extent(c.Item2),
                    [
                        .. Enumerable
                            .Range(1, Math.Min(Extent(c.Item1), Extent(c.Item2)))
                            .Select(k => 3 * Math.Pow(k, -decay * c.Item1.Length * c.Item1.Length) * Math.Exp(-0.01 * k)),
                    ]
                )),
            ],
        };
    }

    public static TruncationResult Truncation(string layer, LayerAnalysis[] kernels, string cut, double fraction, double harm)
    {
        List<TruncatedKernel> truncated = [];
        foreach (LayerAnalysis kernel in kernels)
        {
            CutSpectrum spectrum = kernel.Cuts.First(c => c.Cut == cut);
            int rank = Math.Max(1, (int)Math.Round(fraction * spectrum.MaxRank));
            truncated.Add(
                new(
                    kernel.Name,
                    [cut],
                    [rank],
                    [rank],
                    false,
                    Math.Min(kernel.Parameters, spectrum.FactoredParameters(rank)),
                    spectrum.NormLoss(rank),
                    spectrum.RelativeNormLoss(rank)
                )
            );
        }
        double loss = truncated.Average(static k => k.NormLoss),
            top1 = Math.Round(0.1 + (0.8263 * Math.Exp(-harm * loss * loss)), 4);
        return new()
        {
            Layer = layer,
            Cut = cut,
            Rank = kernels.Length == 1 ? truncated[0].Ranks[0] : null,
            Rule = FormattableString.Invariant($"{100 * fraction:0.##}%"),
            NormLoss = loss,
            RetainedEnergy = 1 - (loss * loss),
            RelativeNormLoss = 1 - Math.Sqrt(1 - (loss * loss)),
            Top1 = top1,
            Top5 = Math.Min(1, top1 + 0.07),
            Loss = 2.5 - (2 * top1),
            Samples = 10_000,
            Parameters = truncated.Sum(static k => k.Parameters),
            Seconds = 1,
            Kernels = [.. truncated],
            Recalibrated = layer == "all" ? new(10_000, Math.Min(0.9263, top1 + (0.1 * loss)), 0.99, 0.4) : null,
        };
    }
}
