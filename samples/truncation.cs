#:project ../src/Tensorial/Tensorial.csproj
#:property PublishAot=false

// Accuracy against norm loss (study 1, arXiv 2403.14379): every kernel truncated along every cut, one at a time and all together.
//
//   dotnet run -c Release samples/truncation.cs                        the embedded network, all cuts: the study's table of it
//   dotnet run -c Release samples/truncation.cs "oi|hw,o|ihw"          these cuts alone
//   dotnet run -c Release samples/truncation.cs all model.onnx cifar10:DIR imagenet 1000
//
// One line a measurement, as CSV on stdout; experiments/results/truncation/sample/truncations.csv has the same numbers.
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string At(int place, string otherwise) => args.Length > place ? args[place] : otherwise;

Graph network = args.Length > 1 ? OnnxFile.Read(args[1]) : OnnxFile.Read(Sample.Model, "sample");
ImageSet images = DataSource
    .Parse(At(2, "sample"))
    .Open(DataSplit.Test, Normalization.Parse(At(3, "none")), int.Parse(At(4, "1000"), CultureInfo.InvariantCulture));
ValueList<Cut>? cuts = At(0, "all") == "all" ? null : [.. args[0].Split(',').Select(Cut.Parse)];

AnalysisReport report = network.Analyze(images, new() { Cuts = cuts });
Console.Error.WriteLine($"untruncated: top-1 {report.Baseline!.Top1:P2}");
Console.WriteLine("layer,cut,rank,normLoss,parameters,top1");
foreach (TruncationResult point in report.Truncations)
    Console.WriteLine($"{point.Layer},{point.Cut},{point.Rank},{point.NormLoss},{point.Parameters},{point.Top1}");
