using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>How long a single step took.</summary>
/// <param name="Equation">The step.</param>
/// <param name="Shapes">Shapes of its operands.</param>
/// <param name="Macs">Multiply-accumulates.</param>
/// <param name="Seconds">The shortest of its runs, on one thread.</param>
internal sealed record MeasuredStep(string Equation, ImmutableArray<Shape> Shapes, long Macs, double Seconds)
{
    internal MatrixExtents Extents { get; init; }

    /// <summary>What a model expects over what was measured.</summary>
    public double Ratio(CostModel model) => model.Seconds(Extents) / Seconds;
}

/// <summary>
/// Fits the cost model to the machine it runs on: times single steps of many kinds, large and thin products, outer ones, depthwise and
/// dense convolutions, and finds the constants that expect these times best. Plans made with what it yields depend on the machine; those of
/// <see cref="CostModel.Default"/> do not.
/// </summary>
internal static class CostCalibration
{
    private const int Rounds = 25;

    /// <summary>Weight of staying near the built-in constants, so that one that no step tells apart keeps its value.</summary>
    private const double Inertia = 0.02;

    /// <summary>How far a constant may go from the built-in one, either way.</summary>
    private const double Farthest = 30;

    private static readonly (string Equation, string Shapes)[] Probes =
    [
        ("ab,bc->ac", "256x256,256x256"),
        ("ab,bc->ac", "64x64,64x64"),
        ("ab,bc->ac", "8x8,8x8"),
        ("ab,bc->ac", "4096x25,25x64"),
        ("ab,bc->ac", "16x1024,1024x16"),
        ("ab,b->a", "512x512,512"),
        ("ab,bc->ac", "2048x4,4x64"),
        ("ab,bc->ac", "4x512,512x128"),
        ("bshw,rs->brhw", "8x64x16x16,25x64"),
        ("bshw,rs->brhw", "8x16x32x32,4x16"),
        ("bshw,rs->brhw", "16x128x8x8,64x128"),
        ("bshw,tshw->bthw|hw", "8x16x32x32,16x16x3x3"),
        ("bshw,tshw->bthw|hw", "8x64x8x8,64x64x3x3"),
        ("bshw,tshw->bthw|hw[stride=2]", "8x32x16x16,64x32x3x3"),
        ("bshw,tsh->bthw|h", "8x25x16x16,25x25x3"),
        ("bshw,tsw->bthw|w", "8x25x16x16,64x25x3"),
        ("bshw,shw->bshw|hw", "8x64x16x16,64x3x3"),
        ("bshw,sh->bshw|h", "8x64x16x16,64x3"),
        ("bshw,sw->bshw|w", "8x64x16x16,64x3"),
        ("bshw,shw->bshw|hw", "16x100x8x8,100x3x3"),
        ("brhw,rhw->brhw|hw", "8x52x8x8,52x3x3"),
        ("bshw,sh->bshw|h", "16x64x16x16,64x5"),
        ("bshw,sw->bshw|w", "16x64x16x16,64x5"),
        ("bshw,shw->bshw|hw[stride=2]", "8x64x16x16,64x3x3"),
        ("or,ir->oir", "64x52,64x52"),
        ("oir,hwr->oihw", "64x64x16,3x3x16"),
        ("air,cjr->acijr", "8x8x24,8x8x24"),
        ("ab,ab->ab", "256x256,256x256"),
        ("rhw,rs->rshw", "25x3x3,25x64"),
        ("nab,nbc->nac", "64x8x8,64x8x8"),
    ];

    /// <summary>Times the steps, by turns, so that what disturbs the machine disturbs all of them alike. A second or two.</summary>
    public static ImmutableArray<MeasuredStep> Measure(CancellationToken cancel = default)
    {
        (MeasuredStep Step, Plan Plan, Tensor<float>[] Operands, Tensor<float> Result)[] probes = [.. Probes.Select(Prepare)];
        double[] least = new double[probes.Length];
        Array.Fill(least, double.PositiveInfinity);
        // The first rounds are for the compiler.
        for (int round = -8; round < Rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            for (int k = 0; k < probes.Length; k++)
            {
                long start = Stopwatch.GetTimestamp();
                probes[k].Plan.Run(probes[k].Operands, probes[k].Result, Workers.Serial);
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (round >= 0)
                    least[k] = Math.Min(least[k], seconds);
            }
        }
        return [.. probes.Select((probe, k) => probe.Step with { Seconds = least[k] })];
    }

    /// <summary>
    /// The model whose expectations come nearest to the measured times, in the mean of squared logarithms of their ratio, outliers counting
    /// less.
    /// </summary>
    /// <param name="steps">What <see cref="Measure"/> gave.</param>
    /// <param name="source">What plans say of the model.</param>
    public static CostModel Fit(ImmutableArray<MeasuredStep> steps, string source)
    {
        double[] start = CostModel.Default.Constants,
            logs = new double[start.Length];
        double best = Loss(logs);
        // Constant by constant, up or down by smaller and smaller factors, as long as that helps.
        for (double stride = Math.Log(2); stride > 0.005; )
        {
            bool better = false;
            for (int k = 0; k < logs.Length; k++)
                foreach (double step in (ReadOnlySpan<double>)[stride, -stride])
                {
                    double before = logs[k];
                    logs[k] = Math.Clamp(before + step, -Math.Log(Farthest), Math.Log(Farthest));
                    if (Loss(logs) is var loss && loss < best - 1e-12)
                        (best, better) = (loss, true);
                    else
                        logs[k] = before;
                }
            if (!better)
                stride /= 2;
        }
        return Model(logs) with { Source = source };

        CostModel Model(double[] by) => CostModel.Default.With([.. start.Select((value, k) => value * Math.Exp(by[k]))]);

        double Loss(double[] by)
        {
            CostModel model = Model(by);
            return steps.Average(step =>
                    Math.Log(step.Ratio(model)) is var error && Math.Abs(error) < 1 ? error * error : 2 * Math.Abs(error) - 1
                )
                + Inertia * by.Average(static x => x * x);
        }
    }

    private static (MeasuredStep, Plan, Tensor<float>[], Tensor<float>) Prepare((string Equation, string Shapes) probe)
    {
        Random random = new(1);
        Tensor<float>[] operands =
        [
            .. probe.Shapes.Split(',').Select(shape => RandomOf(Shape.From([.. shape.Split('x').Select(int.Parse)]), random)),
        ];
        Shape[] shapes = [.. operands.Select(static operand => operand.Shape)];
        Plan plan = Plan.Create(Equation.Parse(probe.Equation), null, shapes);
        Algebra algebra = new(plan.Problem);
        Pair pair = Pair.From(algebra, algebra.Summed(algebra.Operands[0]), algebra.Summed(algebra.Operands[1]));
        return (new(probe.Equation, [.. shapes], plan.Macs, 0) { Extents = pair.Extents() }, plan, operands, new(plan.Result));
    }

    private static Tensor<float> RandomOf(Shape shape, Random random)
    {
        Tensor<float> tensor = new(shape);
        foreach (ref float value in tensor.Values)
            value = random.NextSingle() - 0.5f;
        return tensor;
    }
}
