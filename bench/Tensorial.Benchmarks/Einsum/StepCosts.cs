using System.Diagnostics;
using System.Globalization;
using Tensorial.Einsum;
using Tensorial.Kernels;

namespace Tensorial.Benchmarks.Einsum;

/// <summary>Single steps of many kinds against what the cost model expects of them: what its constants were set by.</summary>
internal static class StepCosts
{
    private static readonly (string Equation, string Shapes)[] Cases =
    [
        ("ab,bc->ac", "512x512,512x512"), ("ab,bc->ac", "64x64,64x64"), ("ab,bc->ac", "8x8,8x8"), ("ab,bc->ac", "4096x25,25x64"), ("ab,bc->ac", "16x1024,1024x16"), ("ab,b->a", "1024x1024,1024"),
        ("bshw,rs->brhw", "32x64x16x16,25x64"), ("bshw,rs->brhw", "32x64x16x16,64x64"), ("bshw,rs->brhw", "32x16x32x32,4x16"), ("bshw,rs->brhw", "32x256x8x8,128x256"),
        ("bshw,tshw->bthw|hw", "32x16x32x32,16x16x3x3"), ("bshw,tshw->bthw|hw", "32x64x8x8,64x64x3x3"), ("bshw,tshw->bthw|hw", "32x64x16x16,25x64x3x3"), ("bshw,tshw->bthw|hw[stride=2]", "32x32x16x16,64x32x3x3"),
        ("bshw,tsh->bthw|h", "32x25x16x16,25x25x3"), ("bshw,tsw->bthw|w", "32x25x16x16,64x25x3"), ("bshw,shw->bshw|hw", "32x64x16x16,64x3x3"), ("bshw,sh->bshw|h", "32x64x16x16,64x3"), ("bshw,sw->bshw|w", "32x64x16x16,64x3"),
        ("bshw,shw->bshw|hw[stride=2]", "32x64x16x16,64x3x3"), ("or,ir->oir", "64x52,64x52"), ("oir,hwr->oihw", "64x64x52,3x3x52"), ("air,cjr->acijr", "8x8x53,8x8x53"), ("ab,ab->ab", "512x512,512x512"), ("rhw,rs->rshw", "25x3x3,25x64"),
    ];

    public static void Run()
    {
        foreach ((string text, string shapes) in Cases)
        {
            Random random = new(1);
            Tensor<float>[] operands = [.. shapes.Split(',').Select(shape => PlannedOrders.RandomOf(Shape.Of([.. shape.Split('x').Select(int.Parse)]), random))];
            Plan plan = Plan.For(Equation.Parse(text), null, [.. operands.Select(static operand => operand.Shape)]);
            Tensor<float> result = new(plan.Result);
            double[] times = new double[60];
            for (int round = -8; round < times.Length; round++)
            {
                long start = Stopwatch.GetTimestamp();
                plan.Run(operands, result, Workers.Serial);
                if (round >= 0) times[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            double median = times.Min();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{text,-30} {shapes,-26} {1e6 * median,9:F1} µs {plan.Macs / median / 1e9,6:F1} GMAC/s {plan.Steps[0].Bytes / 4 / median / 1e9,6:F2} Gvalues/s   model/measured {plan.Seconds / median:F2}"));
        }
    }
}
