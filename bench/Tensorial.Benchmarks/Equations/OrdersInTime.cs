using System.Diagnostics;
using System.Globalization;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Benchmarks.Equations;

/// <summary>
/// Whether planned orders win in time and not only on paper: the order of the fewest multiply-accumulates, that of the built-in cost model
/// and that of one fitted to this machine, by turns; medians of rounds, over that from left to right.
/// </summary>
internal static class OrdersInTime
{
    /// <summary>Counts multiply-accumulates and nothing else.</summary>
    private static readonly CostModel OnPaper = new()
    {
        Source = "multiply-accumulates",
        Step = 0,
        Product = 0,
        Mac = 1e-11,
        HalfRate = 0,
        HalfSummed = 0,
        UnfoldedMac = 1e-11,
        ThinMac = 1e-11,
        BatchedMac = 1,
        Move = 0,
    };

    private static readonly (string Equation, string Shapes)[] Cases =
    [
        ("bshw,rs,rh,rw,rt->bthw|hw", "16x64x16x16,52x64,52x3,52x3,52x64"),
        ("bshw,rs,rhw,rt->bthw|hw", "16x64x8x8,100x64,100x3x3,100x64"),
        ("bshw,shw,ts->bthw|hw", "16x32x16x16,32x3x3,64x32"),
        ("bshw,sh,sw->bshw|hw", "16x64x16x16,64x3,64x3"),
        ("bshw,sh,sw,ts->bthw|hw", "16x64x16x16,64x5,64x5,64x64"),
        ("bshw,qs,pqhw,tp->bthw|hw", "16x64x8x8,40x64,40x40x3x3,64x40"),
        ("bshw,sx,xhy,ywz,zt->bthw|hw", "16x64x8x8,64x32,32x3x32,32x3x32,32x64"),
        ("nijhw,air,cjr,hwr->nachw|hw", "8x8x8x16x16,8x8x30,8x8x30,3x3x30"),
        ("nijk,aip,pbjq,qck->nabc", "128x8x8x8,8x8x8,8x8x8x8,8x8x8"),
        ("or,ir,hr,wr->oihw", "64x52,64x52,3x52,3x52"),
        ("ni,ir,ro->no", "64x256,256x100,100x256"),
        ("ab,bc,cd,de->ae", "8x512,512x8,8x512,512x8"),
        ("nr,ir,jr,kr->nijk", "4x24,16x24,16x24,16x24"),
        ("bshw,rs,rhw,rt->bthw|hw[stride=2]", "16x64x16x16,52x64,52x3x3,52x64"),
    ];

    public static void Run()
    {
        CostModel fitted = CostCalibration.Fit(CostCalibration.Measure(), "this machine");
        double[] product = [1, 1, 1];
        foreach ((string text, string shapes) in Cases)
        {
            Random random = new(1);
            Tensor<float>[] operands =
            [
                .. shapes.Split(',').Select(shape => PlannedOrders.RandomOf(Shape.From([.. shape.Split('x').Select(int.Parse)]), random)),
            ];
            Shape[] extents = [.. operands.Select(static operand => operand.Shape)];
            Equation equation = Equation.Parse(text);
            Plan[] plans =
            [
                Plan.Create(equation, new() { Search = PlanSearch.LeftToRight }, extents),
                .. new[] { OnPaper, CostModel.Default, fitted }.Select(model => Plan.Create(equation, new() { Cost = model }, extents)),
            ];
            Tensor<float> result = new(plans[0].Result);
            double[][] times = [.. plans.Select(static _ => new double[25])];
            for (int round = -6; round < 25; round++)
            for (int k = 0; k < plans.Length; k++)
            {
                long start = Stopwatch.GetTimestamp();
                plans[k].Run(operands, result, Workers.Serial);
                if (round >= 0)
                    times[k][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            double[] medians = [.. times.Select(static t => t.Order().ElementAt(t.Length / 2))];
            for (int k = 0; k < 3; k++)
                product[k] *= medians[k + 1] / medians[0];
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{text, -34} left to right {1e6 * medians[0], 9:F0} µs; of that: fewest MACs {medians[1] / medians[0], 5:F2}, built in {medians[2] / medians[0], 5:F2}, fitted {medians[3] / medians[0], 5:F2}   {string.Join("; ", plans[3].Steps.Select(static step => step.Expression))}"
                )
            );
        }
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"geometric means: fewest MACs {Math.Pow(product[0], 1.0 / Cases.Length):F3}, built in {Math.Pow(product[1], 1.0 / Cases.Length):F3}, fitted {Math.Pow(product[2], 1.0 / Cases.Length):F3}"
            )
        );
    }
}
