#:project ../src/Tensorial/Tensorial.csproj
#:property PublishAot=false

// Formats against each other (study 5): each convolution kernel in each format, at the same part of its parameters; the relative error of the
// fit, and its mean over the kernels.
//
//   dotnet run -c Release samples/formats.cs                                   the embedded network at a quarter
//   dotnet run -c Release samples/formats.cs 0.5 model.onnx svd-out tt "ri,sr,shw,os->oihw"
//
// A format is a name or an equation over o, i, h, w and bonds of your own.
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
double rate = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 0.25;
Graph network = args.Length > 1 ? OnnxFile.Read(args[1]) : OnnxFile.Read(Sample.Model, "sample");
string[] formats = args.Length > 2 ? args[2..] : ["svd-out", "svd-in", "spatial-svd", "tucker2", "tt", "tr", "cp3", "ri,sr,shw,os->oihw"];
Kernel[] kernels = [.. network.Kernels.Where(kernel => kernel.LongAxes == "oihw")];

Console.WriteLine($"format,{string.Join(',', kernels.Select(kernel => kernel.Name))},mean");
foreach (KernelFormat format in formats.Select(KernelFormat.Parse))
{
    double[] errors = [.. kernels.Select(kernel => ErrorOf(kernel, format))];
    Console.WriteLine($"\"{format}\",{string.Join(',', errors.Select(error => $"{error:F4}"))},{errors.Average():F4}");
}

// ‖K - K̃‖ / ‖K‖ with the ranks that the rate allows.
double ErrorOf(Kernel kernel, KernelFormat format)
{
    KernelForm form = KernelForm.From(format, kernel.Values.Shape);
    return KernelFactorization.Fit(kernel.Values, format, form.RanksAt(rate)).RelativeError;
}
