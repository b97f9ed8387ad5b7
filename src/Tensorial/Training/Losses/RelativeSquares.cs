namespace Tensorial.Training.Losses;

/// <summary>
/// ‖y - t‖² / ‖t‖², t the teacher's outputs: distillation of outputs that are no class scores, such as boxes, masks or landmarks. No labels
/// are needed.
/// </summary>
public sealed record RelativeSquares : Loss
{
    /// <inheritdoc/>
    public override bool NeedsLabels => false;

    /// <inheritdoc/>
    public override double Evaluate(Tensor<float> logits, Targets targets, Tensor<float> gradient)
    {
        Tensor<float> teacher = targets.TeacherLogits ?? throw new BadInputException("Distillation needs the answers of a teacher.");
        return MeanSquares.Evaluate(logits, teacher, MeanSquares.Size(teacher), gradient);
    }

    /// <summary>A batch is relative to all of its targets, not part by part.</summary>
    internal override double? PartWeight(Targets targets) => targets.TeacherLogits is { } teacher ? MeanSquares.Size(teacher) : null;
}
