using System.Diagnostics;
using System.Globalization;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Benchmarks.Equations;

/// <summary>
/// Planned orders against evaluation from left to right and against what PyTorch users write, in turn: medians of rounds, forward and with
/// the gradients of all operands.
/// </summary>
internal static class PlannedOrders
{
    private sealed record Case(string Equation, string Shapes, string Peer);

    private static readonly Case[] Cases =
    [
        new("nihw,oihw->nohw|hw", "32x16x32x32,16x16x3x3", "F.conv2d(x0, x1, padding=1)"),
        new("nihw,oihw->nohw|hw", "32x64x8x8,64x64x3x3", "F.conv2d(x0, x1, padding=1)"),
        new("nihw,oihw->nohw|hw[stride=2]", "32x32x16x16,64x32x3x3", "F.conv2d(F.pad(x0, (0, 1, 0, 1)), x1, stride=2)"),
        new("nchw,chw->nchw|hw", "32x64x16x16,64x3x3", "F.conv2d(x0, x1[:, None], padding=1, groups=64)"),
        new("nchw,chw->nchw|hw[stride=2 pad=1]", "32x64x16x16,64x3x3", "F.conv2d(x0, x1[:, None], padding=1, stride=2, groups=64)"),
        new("nithw,oithw->nothw|thw", "4x16x8x16x16,16x16x3x3x3", "F.conv3d(x0, x1, padding=1)"),
        new(
            "bshw,rs,rhw,rt->bthw|hw",
            "32x64x16x16,52x64,52x3x3,52x64",
            "F.conv2d(F.conv2d(F.conv2d(x0, x1[:, :, None, None]), x2[:, None], padding=1, groups=52), x3.T[:, :, None, None])"
        ),
        new(
            "bshw,rs,rh,rw,rt->bthw|hw",
            "32x64x16x16,52x64,52x3,52x3,52x64",
            "F.conv2d(F.conv2d(F.conv2d(F.conv2d(x0, x1[:, :, None, None]), x2[:, None, :, None], padding=(1, 0), groups=52), x3[:, None, None], padding=(0, 1), groups=52), x4.T[:, :, None, None])"
        ),
        new(
            "bshw,qs,pqhw,tp->bthw|hw",
            "32x64x16x16,22x64,22x22x3x3,64x22",
            "F.conv2d(F.conv2d(F.conv2d(x0, x1[:, :, None, None]), x2, padding=1), x3[:, :, None, None])"
        ),
        new(
            "bshw,sx,xhy,ywz,zt->bthw|hw",
            "32x64x16x16,64x25,25x3x25,25x3x25,25x64",
            "F.conv2d(F.conv2d(F.conv2d(F.conv2d(x0, x1.T[:, :, None, None]), x2.permute(2, 0, 1)[..., None], padding=(1, 0)), x3.permute(2, 0, 1)[:, :, None], padding=(0, 1)), x4.T[:, :, None, None])"
        ),
        new(
            "nijhw,air,cjr,hwr->nachw|hw",
            "32x8x8x16x16,8x8x53,8x8x53,3x3x53",
            "F.conv2d(x0.flatten(1, 2), torch.einsum('air,cjr,hwr->acijhw', x1, x2, x3).reshape(64, 64, 3, 3), padding=1)"
        ),
        new("nijk,aip,pbjq,qck->nabc", "128x8x8x8,8x8x8,8x8x8x8,8x8x8", "torch.einsum('nijk,aip,pbjq,qck->nabc', x0, x1, x2, x3)"),
        new("or,ir,hr,wr->oihw", "64x52,64x52,3x52,3x52", "torch.einsum('or,ir,hr,wr->oihw', x0, x1, x2, x3)"),
    ];

    public static void Run(int threads)
    {
        using ThreadWorkers many = new(threads);
        Workers workers = threads == 1 ? Workers.Serial : many;
        foreach (Case one in Cases)
        {
            Measure(one, workers, backward: false);
            Measure(one, workers, backward: true);
        }
    }

    private static void Measure(Case one, Workers workers, bool backward)
    {
        Equation equation = Equation.Parse(one.Equation);
        Random random = new(1);
        Tensor<float>[] operands =
        [
            .. one.Shapes.Split(',').Select(shape => RandomOf(Shape.From([.. shape.Split('x').Select(int.Parse)]), random)),
        ];
        Shape[] shapes = [.. operands.Select(static operand => operand.Shape)];
        PlanOptions goal = new() { Goal = backward ? PlanGoal.ForwardAndBackward : PlanGoal.Forward };
        Plan planned = Plan.Create(equation, goal, shapes),
            naive = Plan.Create(equation, goal with { Search = PlanSearch.LeftToRight }, shapes);
        using Peer? peer = Peer.Start(
            "/usr/bin/python3",
            "einsum.py",
            [one.Peer, one.Shapes, workers.Count.ToString(CultureInfo.InvariantCulture), .. backward ? ["backward"] : Array.Empty<string>()]
        );
        Tensor<float> result = new(planned.Result);
        const int rounds = 15;
        double[] ours = new double[rounds],
            leftToRight = new double[rounds],
            theirs = new double[rounds];
        // Until the code that is compiled anew while it runs has settled.
        long warmed = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(warmed).TotalSeconds < 0.7)
            Seconds(planned);
        for (int round = -5; round < rounds; round++)
        {
            double first = Seconds(planned),
                second = Seconds(naive),
                third = peer?.Seconds(1) ?? double.NaN;
            if (round >= 0)
                (ours[round], leftToRight[round], theirs[round]) = (first, second, third);
        }
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Equation, -34} {(backward ? "backward" : "forward"), -8} planned {1e3 * Median(ours), 8:F3} ms, {planned.Macs / Median(ours) / 1e9, 5:F1} GMAC/s{(backward ? " forward" : "")}, model {1e3 * planned.Seconds, 7:F3}   left to right {Median(leftToRight) / Median(ours), 5:F2} x   PyTorch {Median(theirs) / Median(ours), 5:F2} x   {string.Join("; ", planned.Steps.Select(static step => step.Expression))}"
            )
        );

        double Seconds(Plan plan)
        {
            long start = Stopwatch.GetTimestamp();
            if (backward)
            {
                using EquationValue<float> evaluation = plan.Evaluate<float>(operands, workers);
                evaluation.Gradients(evaluation.Result);
            }
            else
                plan.Run(operands, result, workers);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);

    internal static Tensor<float> RandomOf(Shape shape, Random random) =>
        new(shape, Enumerable.Range(0, shape.ElementCount).Select(_ => random.NextSingle() - 0.5f).ToArray());
}
