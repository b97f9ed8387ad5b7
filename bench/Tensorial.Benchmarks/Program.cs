using Tensorial.Benchmarks.Analysis;
using Tensorial.Benchmarks.Compression;
using Tensorial.Benchmarks.Data;
using Tensorial.Benchmarks.Decompositions;
using Tensorial.Benchmarks.Equations;
using Tensorial.Benchmarks.Execution;
using Tensorial.Benchmarks.Kernels;
using Tensorial.Benchmarks.Training;

switch (args)
{
    case ["profile", string model, .. string[] rest]:
        Profile.Run(model, rest is [string images] ? int.Parse(images) : 4);
        break;
    case ["network", string model, .. string[] batches]:
        foreach (string size in batches.DefaultIfEmpty("64"))
            AgainstOnnxRuntime.Run(model, int.Parse(size));
        break;
    case ["networks", string folder, .. string[] cores]:
        AgainstOnnxRuntime.RunAll(folder, cores is [string threads] ? int.Parse(threads) : 1);
        break;
    case ["training", string preset, .. string[] cores]:
        TrainingStep.Run(preset, preset == "mobilenetv2" ? 16 : 128, cores is [string used] ? int.Parse(used) : 2);
        break;
    case ["training-profile", string preset, string workers]:
        TrainingStep.Profile(preset, preset == "mobilenetv2" ? 16 : 128, int.Parse(workers));
        break;
    case ["data-parallel", string preset, .. string[] cores]:
        DataParallel.Run(preset, cores is [string own] ? int.Parse(own) : 1);
        break;
    case ["scaling", string preset, .. string[] cores]:
        DataParallel.Project(preset, cores is [string each] ? int.Parse(each) : 1);
        break;
    case ["training-factors", .. string[] formats]:
        TrainedFactors.Run(formats is [] ? ["svd-out", "tucker2", "cp", "cp3", "tt", "tr", "rcp"] : [.. formats]);
        break;
    case ["factor-orders", .. string[] formats]:
        FactorOrders.Run(formats is [] ? ["tucker2", "cp", "cp3", "tt", "tr", "ht", "rcp:2"] : [.. formats]);
        break;
    case ["pictures"]:
        PictureLoading.Run();
        break;
    case ["kernels", .. string[] part]:
        AgainstPeak.Run(part is [string some] ? some : "");
        break;
    case ["einsum-orders"]:
        OrdersInTime.Run();
        break;
    case ["einsum-steps"]:
        StepCosts.Run();
        break;
    case ["einsum", .. string[] cores]:
        PlannedOrders.Run(cores is [string count] ? int.Parse(count) : 1);
        break;
    case ["spectra", string model]:
        AllCuts.Run(model);
        break;
    case ["fit", string model, string rate]:
        Fits.Run(model, double.Parse(rate, System.Globalization.CultureInfo.InvariantCulture));
        break;
    case ["tensorly", string model, string rate, .. string[] formats]:
        AgainstTensorLy.Run(
            model,
            double.Parse(rate, System.Globalization.CultureInfo.InvariantCulture),
            formats is [] ? ["cp", "tucker2", "tucker", "tt", "tr"] : [.. formats]
        );
        break;
    case ["formats", .. string[] rest]:
        FactoredLayers.Run(rest.Length > 0 ? int.Parse(rest[0]) : 1, rest.Length > 1 ? int.Parse(rest[1]) : Environment.ProcessorCount);
        break;
    default:
        Console.Error.WriteLine(
            """
            profile MODEL.onnx [IMAGES]      time of every step of a network on one thread
            network MODEL.onnx [BATCH...]    a whole network against ONNX Runtime
            networks FOLDER [THREADS]        all networks of a folder against ONNX Runtime, one image at a time
            training MODEL [THREADS]         a training step of a ready-made network, 128 images, or of mobilenetv2 at 224×224, 16 images, against PyTorch
            training-profile MODEL THREADS   time of every kind of step in it, or in one of MODEL.onnx
            data-parallel MODEL [THREADS]    under mpirun: a training step that ranks share, 128 images, measured and predicted
            scaling MODEL [THREADS]          what it would be on 8, 64 and 512 nodes, from steps measured here
            training-factors [FORMAT...]     the training step of layers in factors against the dense layer's, PyTorch's and TensorLy-Torch's
            factor-orders [FORMAT...]        the planned order of a layer's factors against one after another and against the whole kernel
            pictures                         JPEG files to batches against Pillow
            kernels [PART]                   matrix products and the convolutions of the ResNets against the multiply-add peak, one thread
            einsum [THREADS]                 planned orders against left to right and against PyTorch
            einsum-steps                     single steps against the cost model, built in and fitted to this machine
            einsum-orders                    the order of fewest MACs, of the built-in model and of one fitted here, in time
            spectra MODEL.onnx               singular values along all cuts against PyTorch and NumPy
            fit MODEL.onnx RATE              error and time of every format for the largest kernel
            formats [BATCH [THREADS]]        layers in factors against dense ones, in our executor and in ONNX Runtime
            tensorly MODEL.onnx RATE [FORMAT...]  errors and times of factorizations against TensorLy
            """
        );
        return 2;
}
return 0;
