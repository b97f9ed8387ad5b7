using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Stages as convolutions, with the moves of axes between them. A value is [batch · folded axes, other axes, height, width] throughout; a
/// dense layer is one of 1×1 places.
/// </summary>
internal sealed class StageChain(GraphWriter writer, FactorProducts weights, CompressibleLayer layer, KernelForm form, Node node)
{
    private readonly Convolution _whole = node.Operation as Convolution ?? new Convolution { KernelShape = [1, 1] };
    private string _value = node.Inputs[0];

    /// <summary>The axes of channels, in order, and how many of them count as batch.</summary>
    private string _axes = form.InputAxes;

    private int _folded;

    private (int Height, int Width) _places = layer.IsDense ? (1, 1) : (layer.Input[2], layer.Input[3]);

    public void Write(ImmutableArray<StagePlan> stages)
    {
        if (layer.IsDense)
            _value = writer.Reshaped("input", _value, -1, weights.Count(_axes), 1, 1);
        StagePlan last = stages[^1];
        string? bias = node.Inputs.Length > 2 && node.Inputs[2].Length > 0 ? node.Inputs[2] : null;
        // Channels that are still spread over the batch, or out of order, are no channels that a convolution's bias could meet.
        bool isInside = last.Free.Length == 0 && last.After == form.OutputAxes;
        foreach (StagePlan stage in stages)
        {
            bool isLast = stage == last;
            Arrange(weights.NameOf(stage), stage.Free + stage.Groups + stage.Summed, stage.Free.Length);
            string name = weights.NameOf(stage),
                made = weights.Convolution(stage);
            ImmutableArray<string> inputs = [_value, made, .. isLast && isInside && bias is not null ? (string[])[bias] : []];
            string output = isLast && isInside && !layer.IsDense ? node.Outputs[0] : writer.Fresh(name);
            writer.Put(new Node(writer.NodeName(name), OperationOf(stage), inputs, [output]));
            (_value, _axes, _folded) = (output, stage.After, stage.Free.Length);
            if (!layer.IsDense)
                _places = (stage.HasHeight ? layer.Output[2] : _places.Height, stage.HasWidth ? layer.Output[3] : _places.Width);
        }
        if (isInside && !layer.IsDense)
            return;
        if (!isInside)
            Arrange("output", form.OutputAxes, 0);
        if (!isInside && bias is not null)
            _value = writer.Put("bias", new Add(), _value, writer.Reshaped("bias", bias, 1, -1, 1, 1));
        if (layer.IsDense)
            _value = writer.Reshaped("output", _value, -1, weights.Count(form.OutputAxes));
        Rename(node.Outputs[0]);
    }

    /// <summary>Channels in another order, some of them counted as batch.</summary>
    private void Arrange(string what, string axes, int folded)
    {
        if (axes == _axes && folded == _folded)
            return;
        int channels = weights.Count(axes[folded..]);
        if (axes == _axes)
        {
            // Neighbours in memory already. Height and width stay, whatever they are.
            _value = writer.Reshaped(what, _value, -1, channels, 0, 0);
        }
        else
        {
            _value = writer.Reshaped(what, _value, [-1, .. weights.Extents(_axes), _places.Height * _places.Width]);
            _value = writer.Transposed(what, _value, [0, .. axes.Select(axis => 1 + _axes.IndexOf(axis)), 1 + axes.Length]);
            _value = writer.Reshaped(what, _value, -1, channels, _places.Height, _places.Width);
        }
        (_axes, _folded) = (axes, folded);
    }

    private Convolution OperationOf(StagePlan stage)
    {
        (bool down, bool right) = (stage.HasHeight, stage.HasWidth);
        return new()
        {
            KernelShape = [down ? layer.Kernel.Shape[2] : 1, right ? layer.Kernel.Shape[3] : 1],
            Strides = Own(_whole.Strides, down, right),
            Dilations = Own(_whole.Dilations, down, right),
            Pads = _whole.Pads.IsEmpty
                ? []
                : [down ? _whole.Pads[0] : 0, right ? _whole.Pads[1] : 0, down ? _whole.Pads[2] : 0, right ? _whole.Pads[3] : 0],
            AutoPad = _whole.AutoPad,
            Groups = weights.Count(stage.Groups),
        };
    }

    private static ImmutableArray<int> Own(ImmutableArray<int> values, bool down, bool right) =>
        values.IsEmpty ? [] : [down ? values[0] : 1, right ? values[1] : 1];

    /// <summary>Gives the last value the name that readers of the layer know.</summary>
    private void Rename(string name)
    {
        Node made = writer.Nodes[^1];
        writer.Nodes[^1] = made with { Outputs = [name] };
        _value = name;
    }
}
