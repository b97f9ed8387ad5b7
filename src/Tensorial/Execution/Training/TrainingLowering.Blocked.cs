using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;
using Arithmetic = Tensorial.Kernels.Blocked.Arithmetic;
using Workers = Tensorial.Kernels.Workers;

namespace Tensorial.Execution;

/// <summary>The part of the lowering that runs feature maps blocked: forms of groups and poolings, forward and backward.</summary>
internal sealed partial class TrainingLowering
{
    private readonly Dictionary<TrainedGroup, ChannelStatistics> _statistics = [];

    private bool LowerBlocked(Node node)
    {
        if (_groups.TryGetValue(node, out TrainedGroup? group))
        {
            // Sums over the batch are gathered where the input has just been made, whatever comes between there and the group's end.
            if (node == group.Head && node.Operation is BatchNormalizationInTraining norm)
                GatherMoments(group, norm);
            if (node != group.Members[^1])
                return true;
            if (group.Head.Operation is Convolution)
                Convolve(group);
            else
                Normalize(group);
            return true;
        }
        if (!_pools.Contains(node))
            return false;
        LowerPool(node);
        return true;
    }

    private bool LowerBlockedGradient(Node node)
    {
        if (_groups.TryGetValue(node, out TrainedGroup? group))
        {
            if (node != group.Members[^1])
                return true;
            if (ResolvedBlockedGradient(group.Output) is not { } upstream)
                return true;
            if (group.Head.Operation is Convolution)
                ConvolveBack(group, upstream);
            else
                NormalizeBack(group, upstream);
            return true;
        }
        if (!_pools.Contains(node))
            return false;
        LowerPoolGradient(node);
        return true;
    }

    private void Convolve(TrainedGroup group)
    {
        Node node = group.Head;
        ConvolutionShape shape = ShapeOf(node)!.Value;
        Value input = Blocked(node.Inputs[0]),
            result = BlockedResult(group.Output);
        Value? residual = group.Residual is { } added ? Blocked(added) : null;
        BlockedLayout layout = result.Layout!.Value;
        PackedKernel kernel = _packed.Of(
            (Tensor<float>)ConstantOf(node.Inputs[1])!,
            shape,
            ConvolutionChoice.Best(shape, layout.Height, layout.Width)
        );
        Tensor<float>? bias = node.Inputs.Length > 2 ? ConstantOf(node.Inputs[2]) as Tensor<float> : null;
        Activation activation = group.IsRectified ? Activation.Relu : Activation.None;
        EmitImages(
            node.Label,
            residual is null ? [input] : [input, residual],
            [result],
            (frame, piece) =>
                BlockedConvolution.Run(
                    shape,
                    piece.Of(frame, input),
                    piece.Layout(input),
                    kernel,
                    bias is null ? [] : bias.Values,
                    residual is null ? [] : piece.Of(frame, residual),
                    residual is null ? default : piece.Layout(residual),
                    activation,
                    piece.Clean(frame, result),
                    piece.Layout(result),
                    Workers.Serial
                )
        );
    }

    private void GatherMoments(TrainedGroup group, BatchNormalizationInTraining norm)
    {
        Node node = group.Head;
        Value x = Blocked(node.Inputs[0]);
        ChannelStatistics statistics = _statistics[group] = new(x.Layout!.Value, Parameters(node)!, norm, TrainingProgram.LanesOf(_images));
        Value[] renewed = [.. node.Outputs.Skip(1).Select((name, k) => PlainResult(node, name, k + 1))];
        statistics.Gathered = EmitImages(
            $"{node.Label} moments",
            [x],
            renewed,
            (frame, piece) => statistics.AddMoments(piece.Of(frame, x), piece.Layout(x), piece),
            frame => statistics.Join(frame.Floats(renewed[0]), frame.Floats(renewed[1]))
        );
    }

    private void Normalize(TrainedGroup group)
    {
        ChannelStatistics statistics = _statistics[group];
        Value x = Blocked(group.Head.Inputs[0]),
            result = BlockedResult(group.Output);
        Value? residual = group.Residual is { } added ? Blocked(added) : null;
        EmitImages(
            group.Head.Label,
            residual is null ? [x] : [x, residual],
            [result],
            (frame, piece) =>
                BlockedNormalization.Apply(
                    piece.Of(frame, x),
                    piece.Layout(x),
                    statistics.Scale,
                    statistics.Shift,
                    residual is null ? [] : piece.Of(frame, residual),
                    residual is null ? default : piece.Layout(residual),
                    group.IsRectified,
                    piece.Clean(frame, result),
                    piece.Layout(result)
                ),
            awaits: statistics.Gathered
        );
    }

    private void NormalizeBack(TrainedGroup group, Value upstream)
    {
        Node node = group.Head;
        ChannelStatistics statistics = _statistics[group];
        Value x = Blocked(node.Inputs[0]);
        Value? result = group.IsRectified ? Blocked(group.Output) : null;
        Tensor<float>? scale = _constantGradients.GetValueOrDefault(node.Inputs[1]),
            shift = _constantGradients.GetValueOrDefault(node.Inputs[2]);
        TrainingStep sums = EmitImages(
            $"{node.Label} gradient sums",
            result is null ? [upstream, x] : [upstream, x, result],
            [upstream],
            (frame, piece) =>
                statistics.AddGradientSums(
                    piece.Of(frame, upstream),
                    piece.Layout(upstream),
                    result is null ? [] : piece.Of(frame, result),
                    result is null ? default : piece.Layout(result),
                    piece.Of(frame, x),
                    piece.Layout(x),
                    piece
                ),
            _ => statistics.JoinGradient(scale, shift)
        );
        if (_paths.Carry(node.Inputs[0]))
        {
            Value target = BlockedGradient(node.Inputs[0], out bool isNew),
                own = isNew ? target : NewBlocked($"∂{node.Inputs[0]} of {node.Label}", node.Inputs[0], _gradientHalos);
            EmitImages(
                $"{node.Label} gradient",
                [upstream, x],
                [own],
                (frame, piece) =>
                    BlockedNormalization.ApplyGradient(
                        piece.Of(frame, upstream),
                        piece.Layout(upstream),
                        piece.Of(frame, x),
                        piece.Layout(x),
                        statistics.A,
                        statistics.B,
                        statistics.C,
                        piece.Clean(frame, own),
                        piece.Layout(own)
                    ),
                awaits: sums
            );
            if (!isNew)
                Accumulate(node.Inputs[0], target, own);
        }
        PassToResidual(group, upstream);
    }

    /// <summary>The other operand of an addition has the gradient of the sum: the same memory, which from here on is its own.</summary>
    private void PassToResidual(TrainedGroup group, Value upstream)
    {
        if (group.Residual is not { } name || !_paths.Carry(name))
            return;
        if (!_blockedGradients.TryGetValue(name, out Value? known))
            _blockedGradients[name] = upstream;
        else
            Accumulate(name, known, upstream);
    }

    /// <summary>Adds another contribution to a value's gradient.</summary>
    private void Accumulate(string name, Value known, Value added) =>
        EmitImages(
            $"∂{name}",
            [known, added],
            [known],
            (frame, piece) =>
                BlockedElementwise.Binary(
                    Arithmetic.Add,
                    piece.Of(frame, known),
                    piece.Layout(known),
                    piece.Of(frame, added),
                    piece.Layout(added),
                    Activation.None,
                    piece.Of(frame, known),
                    piece.Layout(known),
                    Workers.Serial
                )
        );

    private void ConvolveBack(TrainedGroup group, Value upstream)
    {
        Node node = group.Head;
        ConvolutionShape shape = ShapeOf(node)!.Value;
        Tensor<float>? biasGradient = node.Inputs.Length > 2 ? _constantGradients.GetValueOrDefault(node.Inputs[2]) : null;
        if (group.IsRectified || biasGradient is not null)
        {
            Value? result = group.IsRectified ? Blocked(group.Output) : null;
            ChannelSums sums = new(upstream.Layout!.Value, TrainingProgram.LanesOf(_images));
            EmitImages(
                $"{node.Label} bias gradient",
                result is null ? [upstream] : [upstream, result],
                [upstream],
                (frame, piece) =>
                    BlockedNormalization.AddGradientSums(
                        piece.Of(frame, upstream),
                        piece.Layout(upstream),
                        result is null ? [] : piece.Of(frame, result),
                        result is null ? default : piece.Layout(result),
                        [],
                        default,
                        [],
                        sums.Of(piece)
                    ),
                _ => sums.JoinInto(biasGradient)
            );
        }
        if (_constantGradients.TryGetValue(node.Inputs[1], out Tensor<float>? weightGradient))
            CorrelateBack(node, shape, upstream, weightGradient);
        if (BackOf(node, shape) is { } back)
            CarryBack(node, back, upstream);
        PassToResidual(group, upstream);
    }

    private void CorrelateBack(Node node, ConvolutionShape shape, Value upstream, Tensor<float> gradient)
    {
        Value input = Blocked(node.Inputs[0]);
        ConvolutionMethod method = WinogradGradient.Best(shape, upstream.Layout!.Value);
        int lanes = TrainingProgram.LanesOf(_images),
            length = KernelGradient.SumsLength(shape, method);
        Value sums = new($"{node.Label} kernel sums", ElementType.Float32, [lanes, length], layout: null);
        EmitImages(
            $"{node.Label} kernel gradient",
            [input, upstream],
            [sums],
            (frame, piece) =>
            {
                Span<float> own = frame.Floats(sums).Slice(piece.Lane * length, length);
                if (piece.Begins)
                    own.Clear();
                KernelGradient.Add(
                    shape,
                    method,
                    piece.Of(frame, input),
                    piece.Layout(input),
                    piece.Of(frame, upstream),
                    piece.Layout(upstream),
                    own
                );
            },
            frame => KernelGradient.Unpack(shape, method, frame.Floats(sums), lanes, gradient.Values, frame.Workers)
        );
    }

    private void CarryBack(Node node, InputGradient back, Value upstream)
    {
        Value target = BlockedGradient(node.Inputs[0], out bool isNew);
        Tensor<float> weights = (Tensor<float>)ConstantOf(node.Inputs[1])!;
        PackedKernel[] kernels = [.. back.Phases.Select(phase => _packed.Of(weights, phase))];
        Value? phase = back.Plane(target.Layout!.Value) is { } plane
            ? new($"{node.Label} phase", ElementType.Float32, [plane.Images, plane.Channels, plane.Height, plane.Width], plane)
            : null;
        EmitImages(
            $"{node.Label} input gradient",
            isNew ? [upstream] : [upstream, target],
            phase is null ? [target] : [target, phase],
            (frame, piece) =>
                back.Run(
                    piece.Of(frame, upstream),
                    piece.Layout(upstream),
                    kernels,
                    phase is null ? [] : piece.Of(frame, phase),
                    isNew ? piece.Clean(frame, target) : piece.Of(frame, target),
                    piece.Layout(target),
                    adds: !isNew,
                    Workers.Serial
                )
        );
    }

    /// <summary>The blocked form of a computed value, converted from its plain form where that is what was made.</summary>
    private Value Blocked(string name)
    {
        if (_blocked.TryGetValue(name, out Value? known))
            return known;
        Value source = Plain(name),
            value = BlockedResult(name);
        EmitImages(
            $"block {name}",
            [source],
            [value],
            (frame, piece) =>
                BlockedConversion.ToBlocked(piece.Rows(frame, source), piece.Clean(frame, value), piece.Layout(value), Workers.Serial)
        );
        return value;
    }

    private Value BlockedResult(string name) => _blocked[name] = NewBlocked(name, name, _halos);

    private Value NewBlocked(string label, string name, Dictionary<string, Halo> halos)
    {
        Shape shape = _shapes[name].Shape;
        (int height, int width) = PlaneOf(name);
        return new(label, ElementType.Float32, shape, new BlockedLayout(shape[0], shape[1], height, width, halos.GetValueOrDefault(name)));
    }

    private Value BlockedGradient(string name, out bool isNew)
    {
        isNew = !_blockedGradients.TryGetValue(name, out Value? value);
        return value ?? (_blockedGradients[name] = NewBlocked($"∂{name}", name, _gradientHalos));
    }

    /// <summary>The whole gradient of a value, blocked, with the halo its maker needs; null where nothing contributed.</summary>
    private Value? ResolvedBlockedGradient(string name)
    {
        if (_plainGradients.TryGetValue(name, out Value? plain))
        {
            Value target = BlockedGradient(name, out bool isNew);
            EmitImages(
                $"block ∂{name}",
                isNew ? [plain] : [plain, target],
                [target],
                (frame, piece) =>
                {
                    BlockedLayout layout = piece.Layout(target);
                    if (isNew)
                        BlockedConversion.ToBlocked(piece.Rows(frame, plain), piece.Clean(frame, target), layout, Workers.Serial);
                    else
                    {
                        float[] blocked = new float[layout.Length];
                        BlockedConversion.ToBlocked(piece.Rows(frame, plain), blocked, layout, Workers.Serial);
                        Span<float> to = piece.Of(frame, target);
                        BlockedElementwise.Binary(Arithmetic.Add, to, layout, blocked, layout, Activation.None, to, layout, Workers.Serial);
                    }
                }
            );
            _plainGradients.Remove(name);
        }
        if (!_blockedGradients.TryGetValue(name, out Value? value))
            return null;
        Halo needed = _gradientHalos.GetValueOrDefault(name);
        if (value.Layout!.Value.Halo.Covers(needed))
            return value;
        // The memory came from a sum, whose gradient needed no halo.
        Value copy = NewBlocked($"∂{name} with halo", name, _gradientHalos);
        EmitImages(
            $"copy ∂{name}",
            [value],
            [copy],
            (frame, piece) =>
                BlockedElementwise.Activate(
                    Activation.None,
                    piece.Of(frame, value),
                    piece.Layout(value),
                    piece.Clean(frame, copy),
                    piece.Layout(copy),
                    Workers.Serial
                )
        );
        return _blockedGradients[name] = copy;
    }
}
