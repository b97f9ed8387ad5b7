using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// Along which axis the samples of a batch lie behind an operation, if it treats each by itself. Extents are those for one sample; an axis of
/// extent d holds n d entries for n samples, those of one sample together. What no rule speaks for mixes samples for all we know.
/// </summary>
internal static class BatchAxis
{
    /// <summary>An operand for one sample, and the axis of its samples; null for a constant.</summary>
    public sealed record Value(ValueInfo Operand, int? Axis)
    {
        public Shape Shape => Operand.Shape;
    }

    /// <summary>An operation's results.</summary>
    /// <param name="Outputs">The axis of each.</param>
    public sealed record Step(ImmutableArray<int?> Outputs)
    {
        /// <summary>Inputs that are another constant for any number of samples; null for none.</summary>
        public ImmutableArray<(int Input, Tensor? Constant)> Constants { get; init; } = [];

        /// <summary>Constants for one sample that are repeated for each, along the axis of the first result.</summary>
        public ImmutableArray<int> Repeated { get; init; } = [];

        /// <summary>The operation for any number of samples, where its attributes differ.</summary>
        public Operation? Operation { get; init; }
    }

    /// <summary>The axes behind a node that reads samples.</summary>
    /// <exception cref="BadInputException">Samples may be mixed: the end of a sentence that says how.</exception>
    public static Step After(Node node, ImmutableArray<Value?> inputs)
    {
        return node.Operation switch
        {
            Reshape reshape => Reshaped(reshape, Data(inputs), inputs),
            Flatten flatten => Flattened(flatten, Data(inputs)),
            RealFunction or NumberFunction or Identity or Dropout or Clip or Cast or Not or IsNaN or IsInf => All(Only(inputs)),
            Arithmetic or Pow or Where or Variadic or PRelu or Logic or Equal or Less or LessOrEqual or Greater or GreaterOrEqual => All(
                Broadcast(inputs)
            ),
            // Places of maxima count through all samples.
            Pooling when node.Outputs.Length > 1 => throw new BadInputException("it says where in the whole batch its maxima lie"),
            Windowed
            or GlobalPooling
            or BatchNormalization
            or InstanceNormalization
            or GroupNormalization
            or Lrn
            or DepthToSpace
            or SpaceToDepth => All(Is(Only(inputs), 0)),
            Gemm { TransposeA: false } when inputs.ElementAtOrDefault(2) is null or { Axis: null, Shape: { Rank: < 2 } or [1, ..] } => All(
                Is(Only(inputs), 0)
            ),
            MatMul => All(Multiplied(inputs)),
            LayerNormalization layer => All(Before(Only(inputs), Place(layer.Axis, inputs))),
            RmsNormalization root => All(Before(Only(inputs), Place(root.Axis, inputs))),
            SoftmaxLike { Flattened: true } softmax => All(Before(Only(inputs), Place(softmax.Axis, inputs))),
            SoftmaxLike softmax => All(Beside(Only(inputs), Place(softmax.Axis, inputs))),
            Transpose transpose => All(transpose.For(Data(inputs).Shape.Rank).IndexOf(Only(inputs))),
            Concat concat => Joined(inputs, Place(concat.Axis, inputs)),
            Expand expand => All(Stretched(expand, node, inputs)),
            Tile tile => All(Tiled(tile, inputs)),
            EinsumOf { Equation.IsPlain: true } equation => All(Summed(equation.Equation, inputs)),
            GridSample or Attention when inputs.All(static input => input is null or { Axis: 0 }) => All(0),
            TopK top => All(Beside(Only(inputs), Place(top.Axis, inputs))),
            GatherElements gather when inputs.All(static input => input?.Axis is not null) => All(
                Beside(Common(inputs), Place(gather.Axis, inputs))
            ),
            Split split => new([.. Enumerable.Repeat<int?>(Beside(Only(inputs), Place(split.Axis, inputs)), split.Parts)]),
            Gather gather => All(Gathered(gather, inputs)),
            Slice slice => All(Sliced(slice, inputs)),
            Pad pad => All(Padded(pad, inputs)),
            Resize resize => All(Resized(resize, inputs)),
            Reduction reduction => All(Reduced(reduction, inputs)),
            Squeeze squeeze => All(Squeezed(squeeze, inputs)),
            Unsqueeze unsqueeze => All(Unsqueezed(unsqueeze, inputs)),
            Recurrent { BatchFirst: false } recurrent => Walked(recurrent, inputs),
            _ => throw new BadInputException("it is not known to treat samples one by one"),
        };

        Step All(int axis) => new([.. node.Outputs.Select(_ => (int?)axis)]);
    }

    private static Value Data(ImmutableArray<Value?> inputs) => inputs[0] ?? throw new BadInputException("its first input is missing");

    /// <summary>The axis of the first input, the only one that depends on samples.</summary>
    private static int Only(ImmutableArray<Value?> inputs) =>
        inputs.Skip(1).All(static input => input?.Axis is null) && Data(inputs).Axis is { } axis
            ? axis
            : throw new BadInputException("an input beside the first depends on the samples");

    private static int Place(int axis, ImmutableArray<Value?> inputs) => axis < 0 ? axis + Data(inputs).Shape.Rank : axis;

    private static int Is(int axis, int wanted) =>
        axis == wanted ? axis : throw new BadInputException($"samples lie along axis {axis}, which it does not keep apart");

    private static int Before(int axis, int taken) => axis < taken ? axis : Is(axis, -1);

    private static int Beside(int axis, int taken) => axis != taken ? axis : Is(axis, -1);

    /// <summary>The axis that all inputs share.</summary>
    private static int Common(ImmutableArray<Value?> inputs) =>
        inputs.All(input => input?.Axis is { } axis && axis == Data(inputs).Axis)
            ? Data(inputs).Axis!.Value
            : throw new BadInputException("it reads samples along different axes");

    /// <summary>A constant that is joined with samples, such as a token for the class, is one for each of them.</summary>
    private static Step Joined(ImmutableArray<Value?> inputs, int along)
    {
        Value[] given = [.. inputs.OfType<Value>()];
        int axis = given.First(static input => input.Axis is not null).Axis!.Value;
        int[] constants = [.. Enumerable.Range(0, given.Length).Where(input => given[input].Axis is null)];
        if (
            given.Length != inputs.Length
            || given.Any(input => input.Axis is { } own && own != axis)
            || constants.Length > 0 && given.Any(input => input.Shape[axis] != 1)
        )
            throw new BadInputException("it joins samples with a constant, or with samples along another axis");
        return new([Beside(axis, along)]) { Repeated = [.. constants] };
    }

    private static int Stretched(Expand expand, Node node, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        Shape data = Data(inputs).Shape,
            result = expand.Infer([.. inputs.Select(static input => input?.Operand)])[0].Shape;
        int place = axis + result.Rank - data.Rank;
        ImmutableArray<int> extents = inputs.ElementAtOrDefault(1)?.Operand.Value?.Integers("shape") ?? expand.Extents ?? [];
        int asked = place - (result.Rank - extents.Length);
        return asked < 0 || extents[asked] == 1
            ? place
            : throw new BadInputException($"'{node.Inputs[0]}' is brought to a fixed extent along the axis of the samples");
    }

    private static int Tiled(Tile tile, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        ImmutableArray<int> repeats = inputs.ElementAtOrDefault(1)?.Operand.Value?.Integers("repeats") ?? tile.Repeats ?? [];
        return axis < repeats.Length && repeats[axis] == 1 ? axis : Is(axis, -1);
    }

    /// <summary>Samples have an index of their own, which the result keeps.</summary>
    private static int Summed(Equation equation, ImmutableArray<Value?> inputs)
    {
        equation = equation.For([.. inputs.Select(static input => input!.Shape)]);
        char[] indices =
        [
            .. inputs
                .Select((input, k) => input!.Axis is { } axis ? equation.Inputs[k][axis] : '\0')
                .Where(static index => index != '\0')
                .Distinct(),
        ];
        bool isApart =
            indices is [var only]
            && equation.Output.Contains(only)
            && inputs
                .Select((input, k) => (Input: input!, Indices: equation.Inputs[k]))
                .All(pair => pair.Indices.Count(index => index == only) == (pair.Input.Axis is null ? 0 : 1));
        return isApart ? equation.Output.IndexOf(indices[0]) : throw new BadInputException("it sums over samples, or pairs them");
    }

    /// <summary>Axes are counted from the last; a constant must be the same for all samples.</summary>
    private static int Broadcast(ImmutableArray<Value?> inputs)
    {
        Value[] given = [.. inputs.OfType<Value>()];
        int rank = given.Max(static input => input.Shape.Rank);
        Value first = given.First(static input => input.Axis is not null);
        int axis = At(first);
        foreach (Value input in given)
        {
            int own = axis - (rank - input.Shape.Rank);
            if (
                input.Axis is null
                    ? own >= 0 && input.Shape[own] != 1
                    : At(input) != axis || input.Shape[own] != first.Shape[first.Axis!.Value]
            )
                throw new BadInputException("its operands hold samples along different axes, or a constant differs along theirs");
        }
        return axis;

        int At(Value input) => input.Axis!.Value + rank - input.Shape.Rank;
    }

    private static int Multiplied(ImmutableArray<Value?> inputs)
    {
        (Value a, Value b) = (Data(inputs), inputs[1]!);
        // One matrix for all samples.
        if (b is { Axis: null, Shape.Rank: 1 or 2 } && a.Axis is { } left && left < a.Shape.Rank - 1)
            return left;
        int rank = Math.Max(a.Shape.Rank, b.Shape.Rank),
            axis = Broadcast(inputs);
        return a.Shape.Rank > 1 && b.Shape.Rank > 1 ? Before(axis, rank - 2) : Is(axis, -1);
    }

    /// <summary>
    /// Values keep their order: where all that stands before the samples' axis is of extent 1, the first axis of any other shape counts them.
    /// </summary>
    private static Step Reshaped(Reshape reshape, Value data, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        Shape shape = reshape.Infer([data.Operand, inputs.ElementAtOrDefault(1)?.Operand])[0].Shape;
        bool keepsPrefix = axis < shape.Rank && Enumerable.Range(0, axis + 1).All(place => shape[place] == data.Shape[place]);
        if (!keepsPrefix && data.Shape.ElementCountOf(0, axis) != 1)
            throw new BadInputException("it moves other axes before that of the samples");
        if (shape.Rank == 0)
            throw new BadInputException("its result has no axis for samples");
        int open = keepsPrefix ? axis : 0;
        long[] extents = [.. shape.Select(static extent => (long)extent)];
        extents[open] = -1;
        Step step = new([open]);
        return inputs.ElementAtOrDefault(1) is not null
            ? step with
            {
                Constants = [(1, new Tensor<long>([extents.Length], extents))],
                Operation = reshape.AllowZero ? reshape with { AllowZero = false } : null,
            }
            : step with
            {
                Operation = reshape with { Extents = [.. extents.Select(static extent => (int)extent)] },
            };
    }

    private static Step Flattened(Flatten flatten, Value data)
    {
        int axis = data.Axis!.Value,
            split = flatten.Axis < 0 ? flatten.Axis + data.Shape.Rank : flatten.Axis;
        return axis < split && data.Shape.ElementCountOf(0, axis) == 1
            ? new([0])
            : throw new BadInputException("it moves other axes before that of the samples");
    }

    private static int Gathered(Gather gather, ImmutableArray<Value?> inputs)
    {
        int along = Place(gather.Axis, inputs);
        if (inputs[1]!.Axis is { } index)
            return Data(inputs).Axis is null ? along + index : throw new BadInputException("samples choose among samples");
        int axis = Beside(Only(inputs), along);
        return axis < along ? axis : axis + inputs[1]!.Shape.Rank - 1;
    }

    private static int Sliced(Slice slice, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        Shape shape = Data(inputs).Shape;
        ImmutableArray<int> axes =
            inputs.ElementAtOrDefault(3)?.Operand.Value?.Integers("axes")
            ?? slice.Axes
            ?? [.. Enumerable.Range(0, (inputs.ElementAtOrDefault(1)?.Shape[0] ?? slice.Starts?.Length)!.Value)];
        return axes.Any(along => (along < 0 ? along + shape.Rank : along) == axis) ? Is(axis, -1) : axis;
    }

    private static int Padded(Pad pad, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        (int begin, int end) = pad.Resolve(
            Data(inputs).Shape,
            inputs.ElementAtOrDefault(1)?.Operand.Value,
            inputs.ElementAtOrDefault(3)?.Operand.Value
        )[axis];
        return begin == 0 && end == 0 ? axis : Is(axis, -1);
    }

    private static int Resized(Resize resize, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        Tensor? scales = inputs.ElementAtOrDefault(inputs.Length > 2 ? 2 : 1)?.Operand.Value;
        if (inputs.ElementAtOrDefault(3) is not null)
            throw new BadInputException("it names the extents of its result, the batch among them");
        float scale =
            scales is { Shape.ElementCount: > 0 } ? scales.Floats("scales")[axis]
            : resize.Scales is { } own ? own[axis]
            : 0;
        return scale == 1 ? axis : Is(axis, -1);
    }

    private static int Reduced(Reduction reduction, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs),
            rank = Data(inputs).Shape.Rank;
        ImmutableArray<int> given = inputs.ElementAtOrDefault(1)?.Operand.Value?.Integers("axes") ?? reduction.Axes ?? [];
        if (given.IsEmpty)
            return reduction.NoneByDefault ? axis : Is(axis, -1);
        int[] axes = [.. given.Select(along => along < 0 ? along + rank : along)];
        return axes.Contains(axis) ? Is(axis, -1)
            : reduction.KeepDims ? axis
            : axis - axes.Distinct().Count(along => along < axis);
    }

    private static int Squeezed(Squeeze squeeze, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs),
            rank = Data(inputs).Shape.Rank;
        ImmutableArray<int> given =
            inputs.ElementAtOrDefault(1)?.Operand.Value?.Integers("axes")
            ?? squeeze.Axes
            ?? throw new BadInputException("it drops every axis of extent 1, that of the samples among them");
        int[] axes = [.. given.Select(along => along < 0 ? along + rank : along)];
        return axes.Contains(axis)
            ? throw new BadInputException("it drops the axis of the samples")
            : axis - axes.Count(along => along < axis);
    }

    private static int Unsqueezed(Unsqueeze unsqueeze, ImmutableArray<Value?> inputs)
    {
        int axis = Only(inputs);
        ImmutableArray<int> given = inputs.ElementAtOrDefault(1)?.Operand.Value?.Integers("axes") ?? unsqueeze.Axes ?? [];
        int rank = Data(inputs).Shape.Rank + given.Length;
        int[] axes = [.. given.Select(along => along < 0 ? along + rank : along)];
        return Enumerable.Range(0, rank).Where(place => !axes.Contains(place)).ElementAt(axis);
    }

    /// <summary>X [t, b, i] to Y [t, d, b, h] and states [d, b, h]; initial states of zeros are what there is without any.</summary>
    private static Step Walked(Recurrent recurrent, ImmutableArray<Value?> inputs)
    {
        Is(Only(inputs), 1);
        if (inputs.ElementAtOrDefault(4) is not null)
            throw new BadInputException("it has a length for each sample");
        int[] states = [.. Enumerable.Range(5, recurrent.States).Where(input => inputs.ElementAtOrDefault(input) is not null)];
        if (
            states.Any(input =>
                !((Tensor<double>)inputs[input]!.Operand.Value!.To(ElementType.Float64)).Values.ToArray().All(static v => v == 0)
            )
        )
            throw new BadInputException("its initial state is a constant for one sample");
        return new([2, .. Enumerable.Repeat<int?>(1, recurrent.States)])
        {
            Constants = [.. states.Select(static input => (input, (Tensor?)null))],
        };
    }
}
