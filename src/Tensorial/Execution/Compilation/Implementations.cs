using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// The table of implementations: for a node, or a group of fused nodes, the kernels that run it on blocked activations. Forward and
/// gradient rows stand side by side; a new kernel is a new row.
/// </summary>
internal static class Implementations
{
    /// <summary>How a group runs on blocked activations; null where it runs as its operations define it.</summary>
    public static Form? Of(FusedGroup group, Scope scope, LastReads last) =>
        group.Head.Outputs.Length == 0
        || !scope.Shapes.TryGetValue(group.Head.Outputs[0], out ValueInfo? result)
        || result.Type != ElementType.Float32
            ? null
            : group.Head.Operation switch
            {
                Convolution => ConvolutionForms.Forward(group, scope),
                ConvolutionTranspose => ConvolutionForms.Transposed(group, scope),
                BatchNormalizationInTraining => NormalizationForms.Forward(group, scope),
                BatchNormalizationAgain => NormalizationForms.Again(group, scope),
                BatchNormalization => NormalizationForms.ScaleShift(group, scope),
                MaxPool or AveragePool => PoolingForms.Forward(group, scope),
                GlobalAveragePool or ReduceMean => PoolingForms.Means(group, scope),
                Add or Sub or Mul or Div => ArithmeticForms.Forward(group, scope),
                PRelu => ActivationForms.PRelu(group, scope),
                Concat => MovementForms.Concat(group, scope),
                Gather => MovementForms.Channels(group, scope),
                Slice => MovementForms.Slice(group, scope),
                Pad => MovementForms.Pad(group, scope),
                Resize => MovementForms.Resize(group, scope),
                GradientOf gradient => Of(gradient, group, scope, last),
                _ => ActivationForms.Forward(group, scope),
            };

    private static Form? Of(GradientOf gradient, FusedGroup group, Scope scope, LastReads last) =>
        (gradient.Of, gradient.Wanted) switch
        {
            (Convolution, [0]) => ConvolutionForms.InputGradient(gradient, group, scope, last),
            (Convolution, [1]) => ConvolutionForms.KernelGradient(gradient, group, scope),
            (Convolution, [2]) => NormalizationForms.BiasGradient(gradient, group, scope, last),
            (BatchNormalizationInTraining, _) => NormalizationForms.Gradient(gradient, group, scope, last),
            (MaxPool or AveragePool, _) => PoolingForms.Gradient(gradient, group, scope),
            (GlobalAveragePool or ReduceMean, _) => PoolingForms.MeansGradient(gradient, group, scope),
            (Mul, _) => ArithmeticForms.ProductGradient(gradient, group, scope),
            (Concat, _) => MovementForms.ConcatGradient(gradient, group, scope),
            (Slice, _) => MovementForms.SliceGradient(gradient, group, scope),
            (Pad, _) => MovementForms.PadGradient(gradient, group, scope),
            _ => ActivationForms.Gradient(gradient, group, scope, last),
        };
}
