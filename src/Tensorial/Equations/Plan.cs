using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>One step of a plan. Values are numbered: the operands first, then the result of each step.</summary>
/// <param name="Left">The larger factor, or the only operand, which is then summed over axes that nothing else has.</param>
/// <param name="Right">The smaller factor; null where there is one operand.</param>
/// <param name="Expression">The step as an equation, axes in the order in which they lie; <c>|</c> stands before axes convolved in
/// it.</param>
/// <param name="Shape">Shape of the result, its axes as in the expression.</param>
/// <param name="Macs">Multiply-accumulates, those that meet padding among them.</param>
/// <param name="Bytes">Bytes read, unfolded and written with values of four bytes each.</param>
/// <param name="Seconds">How long the cost model thinks it takes on one thread.</param>
/// <param name="Scratch">Values of float32 that are repacked while it runs on one thread: a padded signal, an unfolded kernel, feature
/// maps in blocks. They are gone when it ends, and are not among <see cref="Plan.PeakElements"/>.</param>
public sealed record PlanStep(int Left, int? Right, string Expression, Shape Shape, long Macs, long Bytes, double Seconds, long Scratch);

/// <summary>
/// How an equation is evaluated for operands of given shapes: pairwise steps in an order found by search. Plain data; the same for the
/// same equation, shapes and options.
/// </summary>
public sealed class Plan
{
    private readonly Lazy<PlannedSteps> _steps;
    private readonly Lazy<PlannedGradients> _gradients;
    private readonly Plan?[] _adjoints;

    /// <summary>Finds the order; how its steps run is decided when it is asked for.</summary>
    internal Plan(Problem problem, PlanOptions options, SearchOrder? search = null)
    {
        (Problem, Options) = (problem, options);
        Algebra algebra = new(problem);
        if (problem.Shapes.All(static shape => shape.ElementCount > 0))
            Tree = (search ?? OrderSearch.Search)(algebra, Tree.Leaves(algebra, options), options);
        _steps = new(() => new(algebra, Tree, options.Cost));
        _gradients = new(() => new(Problem, PlannedSteps));
        _adjoints = new Plan?[problem.Given];
    }

    /// <summary>The plan of an equation, kept for the next time.</summary>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    /// <exception cref="GoalNotMetException">No order that was found keeps the memory limit.</exception>
    public static Plan Create(Equation equation, PlanOptions? options = null, params ReadOnlySpan<Shape> shapes) =>
        PlanCache.Get(equation, options ?? PlanOptions.Default, shapes);

    /// <summary>The equation.</summary>
    public Equation Equation => Problem.Equation;

    /// <summary>Shapes of the operands.</summary>
    public ImmutableArray<Shape> Shapes => [.. Problem.Shapes.Take(Problem.Given)];

    /// <summary>Shape of the result.</summary>
    public Shape Result => Problem.Result;

    /// <summary>The steps in the order in which they are taken.</summary>
    public ImmutableArray<PlanStep> Steps => PlannedSteps.Steps;

    /// <summary>Multiply-accumulates of all steps.</summary>
    public long Macs => Steps.Sum(static step => step.Macs);

    /// <summary>Most computed values that are alive at once, the result among them and the operands not.</summary>
    public long PeakElements => PlannedSteps.Peak;

    /// <summary>Most values that a step repacks while it runs on one thread.</summary>
    public long Scratch => Steps.IsEmpty ? 0 : Steps.Max(static step => step.Scratch);

    /// <summary>How long the cost model thinks all steps take on one thread.</summary>
    public double Seconds => Steps.Sum(static step => step.Seconds);

    /// <summary>The same where some operands are parameters: other operands are feature maps then.</summary>
    internal double SecondsWith(IReadOnlyList<string> operands, Func<string, bool> isParameter)
    {
        if (Tree is null)
            return 0;
        PlanOptions options = Options.WithParameters(operands, isParameter) with { ParameterWeight = 1 };
        Algebra algebra = new(Problem);
        return OrderSearch.Search(algebra, Tree.Leaves(algebra, options), options).Cost;
    }

    internal Problem Problem { get; }

    internal PlanOptions Options { get; }

    /// <summary>The order; null where an operand has no values.</summary>
    internal Tree? Tree { get; }

    internal PlannedSteps PlannedSteps => _steps.Value;

    internal PlannedGradients PlannedGradients => _gradients.Value;

    /// <summary>Whether all computed values together keep the memory limit.</summary>
    internal bool KeepsValues => PlannedSteps.CanKeep(Options.MemoryLimit ?? long.MaxValue);

    /// <summary>The result.</summary>
    /// <exception cref="ShapeException">The operands have not the shapes the plan was made for.</exception>
    public Tensor<T> Run<T>(ReadOnlySpan<Tensor<T>> operands, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> result = new(Result, GC.AllocateUninitializedArray<T>(Result.ElementCount));
        Run(operands, result, workers);
        return result;
    }

    /// <summary>Computes the result into a tensor of its shape, which shares no memory with the operands.</summary>
    /// <exception cref="ShapeException">The operands or the result have not the shapes the plan was made for.</exception>
    public void Run<T>(ReadOnlySpan<Tensor<T>> operands, Tensor<T> result, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(operands);
        if (result.Shape != Result)
            throw new ShapeException($"the result of {Equation} has the shape {Result}, not {result.Shape}.");
        PlannedSteps.Run(operands, result, workers ?? Workers.Serial);
    }

    /// <summary>The result, and what its gradients need.</summary>
    /// <exception cref="ShapeException">The operands have not the shapes the plan was made for.</exception>
    public EquationValue<T> Evaluate<T>(ReadOnlySpan<Tensor<T>> operands, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(operands);
        return new(this, operands, workers ?? Workers.Serial);
    }

    /// <summary>
    /// The plan of the gradient for one operand: its operands are those of this plan with the gradient of the result in that one's place.
    /// </summary>
    public Plan Adjoint(int operand) => _adjoints[operand] ??= new(Problem.Adjoint(operand), Options with { Goal = PlanGoal.Forward });

    /// <summary>The steps as text, a line each: operands, expression, multiply-accumulates.</summary>
    public override string ToString() =>
        string.Join(
            '\n',
            [
                $"{Equation}: {Macs:N0} MACs, at most {PeakElements:N0} values alive",
                .. Steps.Select(
                    (step, k) =>
                        $"  {Problem.Given + k} = {step.Left}{(step.Right is { } right ? $" * {right}" : "")}: {step.Expression}, {step.Shape}, {step.Macs:N0} MACs"
                ),
            ]
        );

    private void Check<T>(ReadOnlySpan<Tensor<T>> operands)
        where T : unmanaged
    {
        if (operands.Length != Problem.Given)
            throw new ShapeException($"{Equation} takes {Problem.Given} operands, not {operands.Length}.");
        for (int i = 0; i < operands.Length; i++)
            if (operands[i].Shape != Problem.Shapes[i])
                throw new ShapeException(
                    $"operand {i} of {Equation} has the shape {operands[i].Shape}; the plan is for {Problem.Shapes[i]}."
                );
    }
}
