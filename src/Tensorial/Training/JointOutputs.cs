using System.Collections.Immutable;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Training;

/// <summary>
/// All outputs of a network as the single one that a loss takes: a row for each image, every output in it over the root of its mean square in
/// the teacher, so that a squared distance of rows is the sum of the outputs' relative squared errors, by their weights.
/// </summary>
/// <param name="Scales">
/// By name, what the values of each output are multiplied with, and its axes from that of the samples on; none where that is the first.
/// </param>
internal sealed record JointOutputs(ImmutableArray<(string Output, float Scale, ImmutableArray<int> Order)> Scales)
{
    private const string Prefix = "tensorial/joint";

    /// <summary>Images whose answers say how large each output is.</summary>
    private const int MostImages = 32;

    /// <summary>The outputs of a teacher that answer image by image.</summary>
    /// <param name="teacher">The teacher, in float32.</param>
    /// <param name="images">Images.</param>
    /// <param name="weights">Weights of some outputs by name; the others have 1, those of 0 do not count.</param>
    /// <param name="threads">Threads to run it with.</param>
    /// <exception cref="BadInputException">A weight names no output, or none is left.</exception>
    public static JointOutputs From(Graph teacher, ImageSet images, IReadOnlyDictionary<string, double> weights, int threads)
    {
        string names = string.Join(", ", teacher.Outputs.Select(static port => port.Name));
        if (weights.Keys.FirstOrDefault(name => teacher.Outputs.All(port => port.Name != name)) is { } unknown)
            throw new BadInputException($"The network has no output '{unknown}'; it has {names}.");
        using Inference network = new(teacher.WithImageShape(images.ImageShape), threads);
        int count = Math.Min(network.FixedBatch ?? MostImages, images.Count);
        IReadOnlyDictionary<string, Tensor> answers = network.Run(
            new Dictionary<string, Tensor> { [teacher.FreeInputs[0].Name] = images.Batch(0, count) }
        );
        var scales = ImmutableArray.CreateBuilder<(string, float, ImmutableArray<int>)>();
        foreach (Port port in teacher.Outputs)
        {
            double weight = weights.GetValueOrDefault(port.Name, 1);
            if (weight == 0 || answers[port.Name] is not Tensor<float> { Shape.Rank: > 0 } values)
                continue;
            int axis = SampleAxis.Of(teacher, port.Name) ?? 0;
            if (axis >= values.Shape.Rank || values.Shape[axis] != count)
                continue;
            double squares = SquareSum.Of(values.Values) / count;
            scales.Add((port.Name, squares > 0 ? (float)Math.Sqrt(weight / squares) : 0, OrderOf(axis, values.Shape.Rank)));
        }
        return scales.Count > 0
            ? new(scales.ToImmutable())
            : throw new BadInputException($"No output of {names} is left that answers image by image.");
    }

    private static ImmutableArray<int> OrderOf(int axis, int rank) =>
        axis == 0 ? [] : [axis, .. Enumerable.Range(0, rank).Where(other => other != axis)];

    /// <summary>The network with the joint output before its own.</summary>
    public Graph Join(Graph graph)
    {
        List<Node> nodes = [];
        List<string> rows = [];
        foreach ((string output, float scale, ImmutableArray<int> order) in Scales)
        {
            string name = $"{Prefix}/{rows.Count}";
            // Made by a node: a constant of the network might be taken for one that is learnt.
            nodes.Add(
                new($"{name}/scale", new ConstantOfShape(new Tensor<float>([1], new[] { scale })), [$"{Prefix}/scalar"], [$"{name}/scale"])
            );
            string value = output;
            if (graph.Outputs.First(port => port.Name == output).Type != ElementType.Float32)
                nodes.Add(new($"{name}/cast", new Cast(ElementType.Float32), [output], [value = $"{name}/number"]));
            if (!order.IsEmpty)
                nodes.Add(new($"{name}/transpose", new Transpose(order), [value], [value = $"{name}/samples"]));
            nodes.Add(new($"{name}/flatten", new Flatten(1), [value], [$"{name}/row"]));
            nodes.Add(new($"{name}/mul", new Mul(), [$"{name}/row", $"{name}/scale"], [$"{name}/scaled"]));
            rows.Add($"{name}/scaled");
        }
        nodes.Add(new($"{Prefix}/concat", new Concat(1), [.. rows], [Prefix]));
        return graph with
        {
            Nodes = [.. graph.Nodes, .. nodes],
            // The others stay, so that what only they need does.
            Outputs = [new(Prefix, ElementType.Float32, null), .. graph.Outputs],
            Initializers = graph.Initializers.Add($"{Prefix}/scalar", new Tensor<long>([0])),
        };
    }

    /// <summary>A network that was joined, with the outputs that it had before.</summary>
    /// <param name="joined">The network, joined and trained.</param>
    /// <param name="outputs">Its outputs.</param>
    public static Graph Part(Graph joined, ImmutableArray<Port> outputs) =>
        joined with
        {
            Nodes = [.. joined.Nodes.Where(static node => !node.Name.StartsWith(Prefix, StringComparison.Ordinal))],
            Outputs = outputs,
            Initializers = joined.Initializers.RemoveRange(
                joined.Initializers.Keys.Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal))
            ),
        };
}
