using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>Batch normalisations of blocked maps in both modes, and gradients that are sums by channel.</summary>
internal static class NormalizationForms
{
    /// <summary>
    /// A batch normalisation by running statistics that no convolution could take in: y = f(γ/√(σ²+ε) x + (β − μ γ/√(σ²+ε))).
    /// </summary>
    public static Form? ScaleShift(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        if (!scope.IsMap(node.Inputs[0]) || !scope.IsBlocked(node.Inputs[0]))
            return null;
        Tensor<float>?[] parameters = [.. node.Inputs.Skip(1).Select(scope.Fixed)];
        if (parameters is not [{ } gamma, { } beta, { } mean, { } variance])
            return null;
        double epsilon = ((BatchNormalization)node.Operation).Epsilon;
        float[] scale = new float[gamma.Shape.ElementCount],
            shift = new float[scale.Length];
        for (int c = 0; c < scale.Length; c++)
        {
            double factor = gamma.Values[c] / Math.Sqrt(variance.Values[c] + epsilon);
            (scale[c], shift[c]) = ((float)factor, (float)(beta.Values[c] - mean.Values[c] * factor));
        }
        return ScaleShift(group, node.Inputs[0], scale, shift);
    }

    /// <summary>y = f(scale x + shift) by channel; either may be empty.</summary>
    public static Form ScaleShift(FusedGroup group, string input, float[] scale, float[] shift)
    {
        Activation activation = group.Activation;
        return Form.Map(
            group.Label,
            input,
            group.Output,
            (x, xLayout, y, yLayout, workers) => BlockedElementwise.ScaleShift(x, xLayout, scale, shift, activation, y, yLayout, workers)
        );
    }

    /// <summary>A batch normalisation by the statistics of the batch: moments, then the result.</summary>
    public static Form? Forward(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        bool isKnown =
            scope.IsMap(x)
            && scope.IsBlocked(x)
            && node.Outputs.Length == 5
            && node.Inputs.All(scope.IsFloat)
            && node.Inputs.Skip(3).All(name => scope.Constant(name) is Tensor<float>);
        if (!isKnown)
            return null;
        ImmutableArray<BlockedRead> reads = [x];
        if (group.Residual is { } residual)
            reads = reads.Add(residual);
        ImmutableArray<FormResult> statistics = [.. node.Outputs.Skip(1).Select(static name => new FormResult(name, IsBlocked: false))];
        return new(reads, [new(group.Output), .. statistics], emission => EmitForward(emission, group, scope));
    }

    private static void EmitForward(Emission emission, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        Value x = emission.Blocked(node.Inputs[0]);
        Value? residual = group.Residual is { } added ? emission.Blocked(added) : null;
        BlockedLayout layout = x.Layout!.Value;
        ChannelSums channels = new(layout.Channels);
        Value sums = emission.Sums($"{group.Label} sums", channels.RowLength),
            coefficients = Emission.Room($"{group.Label} coefficients", [2, channels.Padded]);
        Value[] statistics = [.. node.Outputs.Skip(1).Select(emission.Result)];
        List<Value> parameters = [];
        Floats scale = emission.Numbers(node.Inputs[1], parameters),
            shift = emission.Numbers(node.Inputs[2], parameters);
        Tensor<float> runningMean = (Tensor<float>)scope.Constant(node.Inputs[3])!,
            runningVariance = (Tensor<float>)scope.Constant(node.Inputs[4])!;
        BatchNormalizationInTraining norm = (BatchNormalizationInTraining)node.Operation;
        double own = (double)layout.Images * layout.Height * layout.Width;
        // Sums are taken about the running mean, so that a mean far from 0 costs the variance no digits.
        emission.Images(
            $"{group.Label} moments",
            [x],
            [sums],
            (frame, piece) =>
            {
                Span<double> shard = channels.Sums(frame, piece, sums);
                BlockedNormalization.AddMoments(
                    piece.Of(frame, x),
                    piece.Layout(x),
                    channels.Center(frame, piece, sums, runningMean.Values),
                    shard
                );
            },
            Join,
            [.. statistics, coefficients]
        );
        Value y = emission.Result(group.Output);
        Activation activation = group.Activation;
        emission.Images(
            group.Label,
            residual is null ? [x, coefficients] : [x, coefficients, residual],
            [y],
            (frame, piece) =>
            {
                ReadOnlySpan<float> factors = frame.Floats(coefficients);
                BlockedNormalization.Apply(
                    piece.Of(frame, x),
                    piece.Layout(x),
                    factors[..channels.Padded],
                    factors[channels.Padded..],
                    residual is null ? [] : piece.Of(frame, residual),
                    residual is null ? default : piece.Layout(residual),
                    activation,
                    piece.Clean(frame, y),
                    piece.Layout(y)
                );
            }
        );

        void Join(ProgramFrame frame)
        {
            Span<float> newMean = frame.Floats(statistics[0]),
                newVariance = frame.Floats(statistics[1]),
                means = frame.Floats(statistics[2]),
                reciprocals = frame.Floats(statistics[3]);
            ReadOnlySpan<float> gamma = scale(frame),
                beta = shift(frame);
            double[] totals = channels.Totals(frame, sums, own, norm.OverRanks);
            double count = totals[^1];
            for (int c = 0; c < layout.Channels; c++)
            {
                double offset = totals[c] / count,
                    mean = runningMean.Values[c] + offset,
                    variance = Math.Max(0, totals[layout.Channels + c] / count - offset * offset);
                (means[c], reciprocals[c]) = ((float)mean, (float)(1 / Math.Sqrt(variance + norm.Epsilon)));
                newMean[c] = (float)(norm.Momentum * runningMean.Values[c] + (1 - norm.Momentum) * mean);
                newVariance[c] = (float)(
                    norm.Momentum * runningVariance.Values[c] + (1 - norm.Momentum) * variance * count / Math.Max(1, count - 1)
                );
            }
            Coefficients(gamma, beta, means, reciprocals, frame.Floats(coefficients));
        }
    }

    /// <summary>The same from the statistics that were kept, bit by bit.</summary>
    public static Form? Again(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || !node.Inputs.All(scope.IsFloat))
            return null;
        return new([x], [new(group.Output)], emission => EmitAgain(emission, group));
    }

    private static void EmitAgain(Emission emission, FusedGroup group)
    {
        Node node = group.Head;
        Value x = emission.Blocked(node.Inputs[0]),
            y = emission.Result(group.Output);
        List<Value> reads = [x];
        Floats[] parameters = [.. node.Inputs.Skip(1).Select(name => emission.Numbers(name, reads))];
        int padded = new ChannelSums(x.Layout!.Value.Channels).Padded;
        Activation activation = group.Activation;
        emission.Images(
            group.Label,
            [.. reads],
            [y],
            (frame, piece) =>
            {
                Span<float> factors = padded <= 1024 ? stackalloc float[2 * padded] : new float[2 * padded];
                Coefficients(parameters[0](frame), parameters[1](frame), parameters[2](frame), parameters[3](frame), factors);
                BlockedNormalization.Apply(
                    piece.Of(frame, x),
                    piece.Layout(x),
                    factors[..padded],
                    factors[padded..],
                    [],
                    default,
                    activation,
                    piece.Clean(frame, y),
                    piece.Layout(y)
                );
            }
        );
    }

    /// <summary>γ r, then β - γ r mean, each padded to whole blocks.</summary>
    private static void Coefficients(
        ReadOnlySpan<float> gamma,
        ReadOnlySpan<float> beta,
        ReadOnlySpan<float> means,
        ReadOnlySpan<float> reciprocals,
        Span<float> factors
    )
    {
        int padded = factors.Length / 2;
        for (int c = 0; c < means.Length; c++)
        {
            double factor = (double)gamma[c] * reciprocals[c];
            (factors[c], factors[padded + c]) = ((float)factor, (float)(beta[c] - factor * means[c]));
        }
    }

    /// <summary>
    /// dx = γ r (dy - mean dy - x̂ mean(dy x̂)), with x̂ = (x - mean) r; the two means give the gradients of γ and of the shift.
    /// </summary>
    public static Form? Gradient(GradientOf gradient, FusedGroup group, Scope scope, LastReads last)
    {
        Node node = group.Head;
        string x = node.Inputs[0],
            dy = node.Inputs[gradient.Upstream()];
        // A shift alone reads nothing but dy.
        if (x.Length == 0 || !scope.IsMap(x) || !scope.IsBlocked(x) || !scope.IsMap(dy))
            return null;
        MaskedGradient masked = MaskedGradient.From(group, dy, scope, last);
        ImmutableArray<FormResult> results =
        [
            .. gradient.Wanted.Select((operand, k) => new FormResult(node.Outputs[k], IsBlocked: operand == 0)),
        ];
        return new([x, .. masked.Reads], [.. masked.Results, .. results], emission => EmitGradient(emission, gradient, group, masked));
    }

    private static void EmitGradient(Emission emission, GradientOf gradient, FusedGroup group, MaskedGradient masked)
    {
        Node node = group.Head;
        Value x = emission.Blocked(node.Inputs[0]);
        BlockedLayout layout = x.Layout!.Value;
        ChannelSums channels = new(layout.Channels);
        Value sums = emission.Sums($"{group.Label} sums", channels.RowLength),
            coefficients = Emission.Room($"{group.Label} coefficients", [3, channels.Padded]);
        Value?[] results = new Value?[3];
        for (int k = 0; k < gradient.Wanted.Length; k++)
            if (gradient.Wanted[k] > 0)
                results[gradient.Wanted[k]] = emission.Result(node.Outputs[k]);
        List<Value> parameters = [];
        Floats scale = emission.Numbers(node.Inputs[1], parameters),
            means = emission.Numbers(node.Inputs[gradient.Shapes.Length + 3], parameters),
            reciprocals = emission.Numbers(node.Inputs[gradient.Shapes.Length + 4], parameters);
        int input = gradient.Wanted.IndexOf(0);
        double own = (double)layout.Images * layout.Height * layout.Width;
        RankSum? overRanks = ((BatchNormalizationInTraining)gradient.Of).OverRanks;
        Value dy = masked.Emit(
            emission,
            $"{group.Label} sums",
            channels,
            sums,
            x,
            means,
            parameters,
            Join,
            [coefficients, .. results.OfType<Value>()]
        );
        if (input < 0)
            return;
        Value dx = emission.Result(node.Outputs[input]);
        emission.Images(
            group.Label,
            [dy, x, coefficients],
            [dx],
            (frame, piece) =>
            {
                ReadOnlySpan<float> factors = frame.Floats(coefficients);
                BlockedNormalization.ApplyGradient(
                    piece.Of(frame, dy),
                    piece.Layout(dy),
                    piece.Of(frame, x),
                    piece.Layout(x),
                    factors[..channels.Padded],
                    factors.Slice(channels.Padded, channels.Padded),
                    factors[(2 * channels.Padded)..],
                    piece.Clean(frame, dx),
                    piece.Layout(dx)
                );
            }
        );

        void Join(ProgramFrame frame)
        {
            Span<float> factors = frame.Floats(coefficients);
            ReadOnlySpan<float> gamma = scale(frame),
                mean = means(frame),
                reciprocal = reciprocals(frame);
            // Gradients of weights are this rank's: they are added up with all others. Without a gradient of x there is no need of the others' sums.
            for (int c = 0; c < layout.Channels; c++)
            {
                if (results[1] is { } dScale)
                    frame.Floats(dScale)[c] = (float)(channels.Joined(frame, sums, 1, c) * reciprocal[c]);
                if (results[2] is { } dShift)
                    frame.Floats(dShift)[c] = (float)channels.Joined(frame, sums, 0, c);
            }
            if (input < 0)
                return;
            double[] totals = channels.Totals(frame, sums, own, overRanks);
            double count = totals[^1];
            for (int c = 0; c < layout.Channels; c++)
            {
                double scaleSum = totals[layout.Channels + c] * reciprocal[c],
                    factor = (gamma.IsEmpty ? 1.0 : gamma[c]) * reciprocal[c],
                    slope = -factor * reciprocal[c] * scaleSum / count;
                factors[c] = (float)factor;
                factors[channels.Padded + c] = (float)slope;
                factors[2 * channels.Padded + c] = (float)(-factor * totals[c] / count - slope * mean[c]);
            }
        }
    }

    /// <summary>The gradient of a convolution's bias: the sum of dy by channel.</summary>
    public static Form? BiasGradient(GradientOf gradient, FusedGroup group, Scope scope, LastReads last)
    {
        Node node = group.Head;
        string dy = node.Inputs[gradient.Upstream()],
            result = node.Outputs[0];
        if (!scope.IsMap(dy) || PlaneWindows.Convolution((Convolution)gradient.Of, gradient.Shapes[0], gradient.Shapes[1]) is null)
            return null;
        MaskedGradient masked = MaskedGradient.From(group, dy, scope, last);
        return new(
            masked.Reads,
            [.. masked.Results, new(result, IsBlocked: false)],
            emission =>
            {
                Value bias = emission.Result(result);
                ChannelSums channels = new(bias.Shape[0]);
                Value sums = emission.Sums($"{group.Label} sums", channels.RowLength);
                masked.Emit(
                    emission,
                    $"{group.Label} of bias",
                    channels,
                    sums,
                    null,
                    static _ => default,
                    [],
                    frame =>
                    {
                        Span<float> to = frame.Floats(bias);
                        for (int c = 0; c < to.Length; c++)
                            to[c] = (float)channels.Joined(frame, sums, 0, c);
                    },
                    [bias]
                );
            }
        );
    }
}
