using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// A decoupled layer as depthwise convolutions of one filter a channel, which runtimes are good at, where grouped ones of several filters
/// are slow. Channels stand in the order of their rank, so that the r-th filters belong to the first channels; those of rank 0 are not
/// computed at all.
/// <para>Filters of the input: branch r convolves the first channels with their r-th filters; all branches joined meet one 1×1 convolution.
/// Filters of the output: for each class of channels of one rank and each r a 1×1 convolution and a depthwise one, added up, the classes
/// joined.</para>
/// </summary>
internal sealed class DepthwiseBranches(
    GraphWriter writer,
    CompressibleLayer layer,
    LayerForm form,
    TensorFactors<double> factors,
    Node node
)
{
    private readonly Convolution _whole = (Convolution)node.Operation;

    private readonly int _outputs = layer.Kernel.Shape[0],
        _inputs = layer.Kernel.Shape[1],
        _taps = layer.Kernel.Shape.ElementCountOf(2, layer.Kernel.Shape.Rank);

    /// <summary>Filters that each channel is stored with, zeros beyond its rank.</summary>
    private readonly int _stored = form.Ranks.Max();

    private string? Bias => node.Inputs.Length > 2 && node.Inputs[2].Length > 0 ? node.Inputs[2] : null;

    public void Write()
    {
        bool ofInput = form.Form.Tensor.Ragged!.Value.Along == 'i';
        int channels = ofInput ? _inputs : _outputs;
        int[] ranks = form.Ranks.Length == channels ? [.. form.Ranks] : [.. Enumerable.Repeat(form.Ranks[0], channels)];
        int[] order = [.. Enumerable.Range(0, channels).OrderByDescending(channel => ranks[channel])];
        if (ofInput)
            OfInput(ranks, order);
        else
            OfOutput(ranks, order);
    }

    private void OfInput(int[] ranks, int[] order)
    {
        (Tensor<double> filters, Tensor<double> mix) = (factors.Factors[0], factors.Factors[1]);
        List<string> branches = [];
        List<(int Channel, int Rank)> made = [];
        string read = Chosen(node.Inputs[0], [.. order.Where(channel => ranks[channel] > 0)], _inputs);
        int readChannels = order.Count(channel => ranks[channel] > 0);
        for (int rank = 0; rank < _stored; rank++)
        {
            int[] own = [.. order.Where(channel => ranks[channel] > rank)];
            string value = own.Length == readChannels ? read : writer.Put($"{rank}/slice", First(own.Length), read);
            branches.Add(Depthwise($"{rank}", value, own, rank, filters));
            made.AddRange(own.Select(channel => (channel, rank)));
        }
        string joined = branches.Count == 1 ? branches[0] : writer.Put("join", new Concat(1), [.. branches]);
        float[] weights = new float[_outputs * made.Count];
        for (int o = 0; o < _outputs; o++)
        for (int k = 0; k < made.Count; k++)
            weights[o * made.Count + k] = (float)mix.Values[(o * _inputs + made[k].Channel) * _stored + made[k].Rank];
        string stored = Stored("mix.weight", [_outputs, made.Count, 1, 1], weights);
        Finish("mix", Pointwise, Bias is { } bias ? [joined, stored, bias] : [joined, stored]);
    }

    private void OfOutput(int[] ranks, int[] order)
    {
        (Tensor<double> mix, Tensor<double> filters) = (factors.Factors[0], factors.Factors[1]);
        List<string> classes = [];
        foreach (IGrouping<int, int> alike in order.Where(channel => ranks[channel] > 0).GroupBy(channel => ranks[channel]))
        {
            int[] own = [.. alike];
            string? sum = null;
            for (int rank = 0; rank < alike.Key; rank++)
            {
                float[] weights = new float[own.Length * _inputs];
                for (int k = 0; k < own.Length; k++)
                for (int i = 0; i < _inputs; i++)
                    weights[k * _inputs + i] = (float)mix.Values[(own[k] * _stored + rank) * _inputs + i];
                string what = $"{alike.Key}.{rank}",
                    stored = Stored($"{what}/mix.weight", [own.Length, _inputs, 1, 1], weights);
                string part = Depthwise(what, writer.Put($"{what}/mix", Pointwise, node.Inputs[0], stored), own, rank, filters);
                sum = sum is null ? part : writer.Put($"{what}/add", new Add(), sum, part);
            }
            classes.Add(sum!);
        }
        string value = classes.Count == 1 ? classes[0] : writer.Put("join", new Concat(1), [.. classes]);
        int kept = ranks.Count(static rank => rank > 0);
        if (kept < _outputs)
            value = writer.Put("pad", new Pad { Pads = [0, 0, 0, 0, 0, _outputs - kept, 0, 0] }, value);
        int[] places = new int[_outputs];
        for (int k = 0; k < _outputs; k++)
            places[order[k]] = k;
        value = Chosen(value, places, _outputs);
        if (Bias is { } bias)
            value = writer.Put("bias", new Add(), value, writer.Reshaped("bias", bias, 1, -1, 1, 1));
        // The last node makes what readers of the layer know.
        writer.Nodes[^1] = writer.Nodes[^1] with
        {
            Outputs = [node.Outputs[0]],
        };
    }

    /// <summary>A constant in the type of the layer's weights.</summary>
    private string Stored(string what, Shape shape, float[] values) =>
        writer.Constant(what, what, () => new Tensor<float>(shape, values).To(layer.Weight.Weights.ElementType));

    /// <summary>A filter for each channel, with the layer's stride, padding and dilation.</summary>
    private string Depthwise(string what, string value, int[] channels, int rank, Tensor<double> filters)
    {
        float[] weights = new float[channels.Length * _taps];
        for (int k = 0; k < channels.Length; k++)
        for (int t = 0; t < _taps; t++)
            weights[k * _taps + t] = (float)filters.Values[(channels[k] * _stored + rank) * _taps + t];
        string stored = Stored($"{what}/filters.weight", [channels.Length, 1, .. layer.Kernel.Shape.Skip(2)], weights);
        return writer.Put($"{what}/filters", _whole with { Groups = channels.Length }, value, stored);
    }

    private Convolution Pointwise => new() { KernelShape = [.. layer.Kernel.Shape.Skip(2).Select(static _ => 1)] };

    /// <summary>Some of the channels of a value, in an order.</summary>
    private string Chosen(string value, int[] channels, int all)
    {
        bool isInOrder = channels.SequenceEqual(Enumerable.Range(0, channels.Length));
        return isInOrder && channels.Length == all ? value
            : isInOrder ? writer.Put("order", First(channels.Length), value)
            : writer.Put(
                "order",
                new Gather(1),
                value,
                writer.Constant(
                    "order",
                    (nameof(Chosen), string.Join(',', channels)),
                    () => new Tensor<long>([channels.Length], Array.ConvertAll(channels, static channel => (long)channel))
                )
            );
    }

    private static Slice First(int channels) =>
        new()
        {
            Starts = [0],
            Ends = [channels],
            Axes = [1],
        };

    private void Finish(string what, Operation operation, ImmutableArray<string> inputs) =>
        writer.Put(new Node(writer.NodeName(what), operation, inputs, [node.Outputs[0]]));
}
