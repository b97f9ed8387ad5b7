#:sdk Microsoft.NET.Sdk.Web
#:project ../src/Tensorial/Tensorial.csproj
#:property PublishAot=false

// A service that classifies pictures with its ONNX network and fine-tunes that network on new ones: docs/tutorials/service.md.
//
//   dotnet run -c Release samples/service.cs -- --model model.onnx --urls http://localhost:5080
using Tensorial;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Training;
using Tensorial.Training.Optimizers;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
using WebApplication app = builder.Build();
string path = app.Configuration["model"] ?? throw new BadInputException("Say which network: --model model.onnx");
Graph network = OnnxFile.Read(path);
Inference inference = new(network, threads: 1);
SemaphoreSlim computing = new(1),
    learning = new(1);

// A picture in, its class and the scores of all classes out.
app.MapPost(
    "/classify",
    async (HttpRequest request) =>
    {
        using MemoryStream body = new();
        await request.Body.CopyToAsync(body);
        Tensor<byte> picture = ImageFile.Read(body.ToArray(), "the picture", grayscale: true);
        Tensor<byte> image = new([1, 1, picture.Shape[0], picture.Shape[1]], picture.Values.ToArray());
        ImageSet one = new("request", image, Normalization.None);
        using IDisposable turn = await Turn(computing);
        float[] scores = inference.Run(one.Batch(0, 1)).Values.ToArray();
        return Results.Ok(new { Class = Array.IndexOf(scores, scores.Max()), Scores = scores });
    }
);

// Learns from a folder of pictures (train and test, a folder for each class); the new network serves where it is no worse on the test pictures.
app.MapPost(
    "/learn",
    async (string pictures, int epochs, CancellationToken cancel) =>
    {
        DataSource source = DataSource.Parse($"images:{pictures}", new ImageTransform { Grayscale = true });
        using IDisposable turn = await Turn(learning, cancel);
        ImageSet train = source.Open(DataSplit.Train, Normalization.None),
            test = source.Open(DataSplit.Test, Normalization.None);
        TrainingOptions options = new()
        {
            Epochs = epochs,
            Batch = 32,
            LearningRate = 0.002,
            Optimizer = () => new Adam(),
            Threads = 1,
        };
        TrainingResult trained = await network.TrainAsync(train, options, cancel: cancel);
        Evaluation before = await network.EvaluateAsync(test, cancel: cancel),
            after = await trained.Network.EvaluateAsync(test, cancel: cancel);
        bool serves = after.Top1 >= before.Top1;
        if (serves)
            await Serve(trained.Network);
        return Results.Ok(
            new
            {
                Images = train.Count,
                Before = before.Top1,
                After = after.Top1,
                Serves = serves,
            }
        );
    }
);

app.Run();

// The file is replaced whole, and a picture is classified by the one network or the other.
async Task Serve(Graph next)
{
    OnnxFile.Write(next, path);
    Inference compiled = new(next, threads: 1);
    using IDisposable turn = await Turn(computing);
    inference.Dispose();
    (network, inference) = (next, compiled);
}

static async Task<IDisposable> Turn(SemaphoreSlim gate, CancellationToken cancel = default)
{
    await gate.WaitAsync(cancel);
    return new Release(gate);
}

file sealed class Release(SemaphoreSlim gate) : IDisposable
{
    public void Dispose() => gate.Release();
}
