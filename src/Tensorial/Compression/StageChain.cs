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
    private readonly Windowed _whole = node.Operation as Windowed ?? new Convolution { KernelShape = [1, 1] };

    /// <summary>Extents of the whole window along the axes of space; a dense layer has two of 1.</summary>
    private readonly ImmutableArray<int> _taps = layer.IsDense ? [1, 1] : [.. layer.Taps];

    private string _value = node.Inputs[1 - layer.Use.Operand];

    /// <summary>The axes of channels, in order, and how many of them count as batch.</summary>
    private string _axes = form.InputAxes;

    private int _folded;

    private ImmutableArray<int> _places = layer.IsDense ? [1, 1] : [.. layer.Input.Skip(2)];

    public void Write(ImmutableArray<Stage> stages)
    {
        if (layer.IsDense)
            _value = writer.Reshaped("input", _value, -1, weights.Count(_axes), 1, 1);
        Stage last = stages[^1];
        string? bias = node.Inputs.Length > 2 && node.Inputs[2].Length > 0 ? node.Inputs[2] : null;
        // Channels that are still spread over the batch, or out of order, are no channels that a convolution's bias could meet.
        bool isInside = last.Free.Length == 0 && last.After == form.OutputAxes;
        foreach (Stage stage in stages)
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
                _places = [.. _places.Select((extent, axis) => Has(stage, axis) ? layer.Output[axis + 2] : extent)];
        }
        if (isInside && !layer.IsDense)
            return;
        if (!isInside)
            Arrange("output", form.OutputAxes, 0);
        if (!isInside && bias is not null)
            _value = writer.Put("bias", new Add(), _value, writer.Reshaped("bias", bias, [1, -1, .. _places.Select(static _ => 1)]));
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
            _value = writer.Reshaped(what, _value, [-1, channels, .. _places.Select(static _ => 0)]);
        }
        else
        {
            _value = writer.Reshaped(
                what,
                _value,
                [-1, .. weights.Extents(_axes), _places.Aggregate(1, static (count, extent) => count * extent)]
            );
            _value = writer.Transposed(what, _value, [0, .. axes.Select(axis => 1 + _axes.IndexOf(axis)), 1 + axes.Length]);
            _value = writer.Reshaped(what, _value, [-1, channels, .. _places]);
        }
        (_axes, _folded) = (axes, folded);
    }

    /// <summary>Whether a stage works along an axis of space: the last one is its width, all others its height.</summary>
    private bool Has(Stage stage, int axis) => axis == _places.Length - 1 ? stage.HasWidth : stage.HasHeight;

    /// <summary>A convolution with the layer's stride, padding and dilation along the axes that the stage has; transposed as the layer is.</summary>
    private Windowed OperationOf(Stage stage)
    {
        int axes = _taps.Length;
        bool[] has = [.. Enumerable.Range(0, axes).Select(axis => Has(stage, axis))];
        Convolution plain = new()
        {
            KernelShape = Own(_taps, 1),
            Strides = Own(_whole.Strides, 1),
            Dilations = Own(_whole.Dilations, 1),
            Pads = Own(_whole.Pads, 0),
            AutoPad = _whole.AutoPad,
            Groups = weights.Count(stage.Groups),
        };
        return weights.IsSpread(stage)
            ? new ConvolutionTranspose
            {
                KernelShape = plain.KernelShape,
                Strides = plain.Strides,
                Dilations = plain.Dilations,
                Pads = plain.Pads,
                AutoPad = plain.AutoPad,
                Groups = plain.Groups,
                OutputPadding = Own(((ConvolutionTranspose)_whole).OutputPadding, 0),
            }
            : plain;

        ImmutableArray<int> Own(ImmutableArray<int> values, int none) => [.. values.Select((value, k) => has[k % axes] ? value : none)];
    }

    /// <summary>Gives the last value the name that readers of the layer know.</summary>
    private void Rename(string name)
    {
        Node made = writer.Nodes[^1];
        writer.Nodes[^1] = made with { Outputs = [name] };
        _value = name;
    }
}
