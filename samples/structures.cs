#:project ../src/Tensorial/Tensorial.csproj
#:property PublishAot=false

// Which form fits each kernel (study 5), from spectra alone: of all cuts the one that leaves the least error at a part of the parameters, as
// singular values predict it, written as an equation and fitted; beside it a bond that all factors share (cp3), which no spectrum predicts.
//
//   dotnet run -c Release samples/structures.cs                    the embedded network at a quarter
//   dotnet run -c Release samples/structures.cs 0.5 model.onnx
//
// tensorial search also looks through trees of several bonds, ranks by channel, and sums.
using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
double rate = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 0.25;
Graph network = args.Length > 1 ? OnnxFile.Read(args[1]) : OnnxFile.Read(Sample.Model, "sample");

Console.WriteLine("kernel,best cut,rank,predicted,fitted,cp3");
foreach (Kernel kernel in network.Kernels.Where(kernel => kernel.LongAxes == "oihw"))
{
    // Two factors of rank r hold r (rows + columns) numbers.
    (CutSpectrum spectrum, int rank) = kernel
        .Spectra()
        .Select(spectrum => (spectrum, Rank: (int)(rate * kernel.Values.Shape.ElementCount / (spectrum.Rows + spectrum.Columns))))
        .Where(choice => choice.Rank >= 1)
        .MinBy(choice => choice.spectrum.NormLoss(Math.Min(choice.Rank, choice.spectrum.MaxRank)));
    string[] sides = spectrum.Cut.Split('|');
    KernelFormat tree = KernelFormat.FromEquation($"r{sides[1]},{sides[0]}r->oihw"),
        shared = KernelFormat.Cp3;
    Console.WriteLine(
        $"{kernel.Name},{spectrum.Cut},{rank},{spectrum.NormLoss(rank):F4},{Error(tree, [rank]):F4},{Error(shared, RanksAt(shared)):F4}"
    );

    ImmutableArray<int> RanksAt(KernelFormat format) => KernelForm.From(format, kernel.Values.Shape).RanksAt(rate);
    double Error(KernelFormat format, ImmutableArray<int> ranks) => KernelFactorization.Fit(kernel.Values, format, ranks).RelativeError;
}
