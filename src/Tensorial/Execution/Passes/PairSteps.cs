using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A step of a plan as the operator that takes it. Values are numbered: the operands first, then the result of each step.</summary>
/// <param name="Term">What it makes.</param>
internal abstract record PairStep(IndexList Term)
{
    /// <summary>A value summed over axes that nothing else has.</summary>
    public sealed record Summed(IndexList Term, int Operand) : PairStep(Term);

    /// <summary>A product of two values that slides nothing along anything.</summary>
    public sealed record Product(IndexList Term, int Left, int Right) : PairStep(Term);

    /// <summary>A convolution, or a transposed one.</summary>
    public sealed record Convolved(IndexList Term, int Signal, int Kernel, PairRoles Roles) : PairStep(Term);
}

/// <summary>Reads the steps of a plan.</summary>
internal static class PairSteps
{
    /// <summary>
    /// The steps as operators; null where one of them is no convolution that networks know: circular axes, cropped signals, diagonals.
    /// </summary>
    public static ImmutableArray<PairStep>? Of(Plan plan)
    {
        Problem problem = plan.Problem;
        PlannedSteps planned = plan.PlannedSteps;
        bool hasDiagonals = problem.Inputs.Append(problem.Output).Any(static axes => axes.Distinct().Count() < axes.Length);
        if (
            hasDiagonals
            || problem.Shapes.Any(static shape => shape.ElementCount == 0)
            || problem.Relations.Any(static r => r.Modulus != 0)
        )
            return null;
        if (planned.Algebra.Axes.Length > 52)
            return null;
        var steps = ImmutableArray.CreateBuilder<PairStep>();
        foreach (PlannedValue value in planned.Values.Skip(problem.Inputs.Length))
        {
            if (value.Right < 0)
            {
                steps.Add(new PairStep.Summed(value.Term, value.Left));
                continue;
            }
            Pair pair = new(planned.Algebra, planned.Values[value.Left].Term, planned.Values[value.Right].Term, value.Term);
            int[] convolved = [.. Enumerable.Range(0, planned.Algebra.Axes.Length).Where(pair.Convolves)];
            if (PairRoles.From(pair, left: true) is { } roles)
                steps.Add(new PairStep.Convolved(value.Term, value.Left, value.Right, roles));
            else if (PairRoles.From(pair, left: false) is { } turned)
                steps.Add(new PairStep.Convolved(value.Term, value.Right, value.Left, turned));
            else if (convolved.Length == 0)
                steps.Add(new PairStep.Product(value.Term, value.Left, value.Right));
            else
                return null;
        }
        return steps.ToImmutable();
    }
}

/// <summary>
/// Who is who in a step y = x * w, or, transposed, in the step that takes y to x. Plain axes of x and y alone are batch, of x and w input
/// channels, of y and w output channels, of all three groups; the rest is space. Along mirrored axes the signal is taken backwards, as for
/// the product of two kernels.
/// </summary>
internal sealed record PairRoles(
    ImmutableArray<int> Batch,
    ImmutableArray<int> Groups,
    ImmutableArray<int> Inputs,
    ImmutableArray<int> Outputs,
    ImmutableArray<int> Space,
    ImmutableArray<PlaneAxis> Window,
    ImmutableArray<bool> Mirrored,
    bool IsTransposed
)
{
    private const int MostSpace = 3;

    /// <summary>The roles where the left or the right term is the signal; null where the step is no convolution.</summary>
    public static PairRoles? From(Pair pair, bool left)
    {
        (IndexList signal, IndexList kernel) = left ? (pair.Left, pair.Right) : (pair.Right, pair.Left);
        int place = left ? 0 : 1;
        int[] space =
        [
            .. Enumerable.Range(0, signal.Axes).Where(axis => pair.Algebra.IsConvolved(axis) && signal.Has(axis) && pair.Product.Has(axis)),
        ];
        if (space.Length is 0 or > MostSpace || Enumerable.Range(0, signal.Axes).Any(IsLost))
            return null;
        return From(pair, signal, kernel, space, place, transposed: false) ?? From(pair, signal, kernel, space, place, transposed: true);

        // A convolved axis that only the kernel brings along.
        bool IsLost(int axis) => pair.Algebra.IsConvolved(axis) && kernel.Has(axis) && !space.Contains(axis);
    }

    private static PairRoles? From(Pair pair, IndexList signal, IndexList kernel, int[] space, int place, bool transposed)
    {
        (int x, int y) = transposed ? (2, place) : (place, 2);
        (PlaneAxis Axis, bool IsMirrored)?[] window = [.. space.Select(axis => WindowOf(pair, axis, x, y, 1 - place, transposed))];
        if (Array.Exists(window, static axis => axis is null))
            return null;
        (IndexList from, IndexList to) = transposed ? (pair.Product, signal) : (signal, pair.Product);
        int[] plain = [.. Enumerable.Range(0, signal.Axes).Where(axis => !space.Contains(axis))];
        return new(
            [.. plain.Where(axis => from.Has(axis) && to.Has(axis) && !kernel.Has(axis))],
            [.. plain.Where(axis => from.Has(axis) && to.Has(axis) && kernel.Has(axis))],
            [.. plain.Where(axis => from.Has(axis) && !to.Has(axis) && kernel.Has(axis))],
            [.. plain.Where(axis => !from.Has(axis) && to.Has(axis) && kernel.Has(axis))],
            [.. space],
            [.. window.Select(static axis => axis!.Value.Axis)],
            [.. window.Select(static axis => axis!.Value.IsMirrored)],
            transposed
        );
    }

    private static (PlaneAxis Axis, bool IsMirrored)? WindowOf(Pair pair, int axis, int x, int y, int kernel, bool transposed)
    {
        if (!pair.Convolves(axis))
            return (PlaneAxis.One, false);
        IndexRelation incidence = pair.RelationOf(axis);
        if (PlaneAxis.From(incidence, x, y, kernel) is { } plain)
            return (plain, false);
        return !transposed && PlaneAxis.From(incidence, x, y, kernel, mirrored: true) is { } mirrored ? (mirrored, true) : null;
    }

    /// <summary>The operator, with the window's attributes.</summary>
    public Operation ToOperation(IndexList signal, IndexList result)
    {
        int groups = Groups.Aggregate(1, (count, axis) => count * signal[axis].Extent);
        ImmutableArray<int> taps = [.. Window.Select(static axis => axis.Taps)],
            strides = [.. Window.Select(static axis => axis.Stride)],
            dilations = [.. Window.Select(static axis => axis.Dilation)];
        if (!IsTransposed)
            return new Convolution
            {
                Groups = groups,
                KernelShape = taps,
                Strides = strides,
                Dilations = dilations,
                Pads = [.. Window.Select(static axis => axis.Before), .. Window.Select(static axis => axis.After)],
            };
        // What the convolution's last window does not reach is left over at the end of its input.
        int[] rest =
        [
            .. Space.Select(
                (axis, k) =>
                    Window[k].Stride * (signal[axis].Extent - 1)
                    + Window[k].Dilation * (Window[k].Taps - 1)
                    - Window[k].Before
                    - (result[axis].Extent - 1)
            ),
        ];
        return new ConvolutionTranspose
        {
            Groups = groups,
            KernelShape = taps,
            Strides = strides,
            Dilations = dilations,
            Pads = [.. Window.Select(static axis => axis.Before), .. rest.Select(static r => Math.Max(0, r))],
            OutputPadding = [.. rest.Select(static r => Math.Max(0, -r))],
        };
    }
}
