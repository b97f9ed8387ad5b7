using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Tests.Equations;

/// <summary>Sizes at which steps are done in pieces, shared out over threads and blocked for caches.</summary>
public class LargeTests
{
    [Theory]
    [InlineData("nihw,oihw->nohw|hw", "3,40,70,70;8,40,3,3")]
    [InlineData("nihw,oihw->nohw|hw[stride=2 pad=1]", "5,24,64,64;32,24,3,3")]
    [InlineData("nchw,chw->nchw|hw[stride=2]", "4,96,56,56;96,5,5")]
    [InlineData("ngihw,goihw->ngohw|h[dilation=2],w[pad=0:1 circular]", "4,3,12,50,41;3,10,12,3,2")]
    [InlineData("bshw,rs,rhw,rt->bthw|hw", "6,48,40,40;20,48;20,3,3;20,64")]
    [InlineData("abr,br->ar", "300,200,70;200,70")]
    [InlineData("nihw,oihw->no|hw[pad=valid]", "3,40,70,70;8,40,3,3")]
    public void Large_steps_agree_with_their_adjoints_their_definition_and_any_number_of_threads(string text, string shapes)
    {
        Equation equation = Equation.Parse(text);
        Tensor<double>[] operands =
        [
            .. shapes
                .Split(';')
                .Select(static (shape, i) => Operations.Some.Whole<double>(Shape.From([.. shape.Split(',').Select(int.Parse)]), i)),
        ];
        Plan plan = Plan.Create(equation, null, [.. operands.Select(static operand => operand.Shape)]);
        using ThreadWorkers two = new(2);
        Tensor<double> result = plan.Run<double>(operands),
            shared = plan.Run<double>(operands, two);
        Assert.True(result.Values.SequenceEqual(shared.Values));

        Tensor<double> upstream = Operations.Some.Whole<double>(plan.Result, 9);
        Tensor<double>?[] gradients = plan.Evaluate<double>(operands, two).Gradients(upstream);
        for (int i = 0; i < operands.Length; i++)
            Assert.Equal(Dot(result, upstream), Dot(operands[i], gradients[i]!));

        // One operand after the other reduced to a single entry of its first axis: an equation a few hundred times smaller.
        Random random = new(1);
        for (int trial = 0; trial < 3; trial++)
        {
            int image = random.Next(operands[0].Shape[0]),
                size = operands[0].Shape.ElementCount / operands[0].Shape[0],
                results = result.Shape.ElementCount / result.Shape[0];
            Tensor<double>[] one = [new([1, .. operands[0].Shape.Skip(1)], operands[0].Memory.Slice(image * size, size)), .. operands[1..]];
            Plan small = Plan.Create(equation, new() { Search = PlanSearch.LeftToRight }, [.. one.Select(static operand => operand.Shape)]);
            Assert.True(small.Run<double>(one).Values.SequenceEqual(result.Values.Slice(image * results, results)));
        }
    }

    /// <summary>Several thousand values against PyTorch, in float32.</summary>
    [OracleFact(Oracle.PyTorch)]
    public void A_strided_grouped_layer_is_PyTorchs()
    {
        Tensor<float> x = Operations.Some.Whole<float>([2, 2, 6, 33, 40], 1),
            w = Operations.Some.Whole<float>([2, 5, 6, 3, 4], 2);
        Plan plan = Plan.Create(
            Equation.Parse("ngihw,goihw->ngohw|h[stride=2 pad=1],w[stride=3 dilation=2 pad=2]"),
            null,
            x.Shape,
            w.Shape
        );
        Tensor<float> y = plan.Run<float>([x, w]);
        string program = $"""
            import torch
            x = torch.tensor([{string.Join(',', x.Values.ToArray())}]).reshape(2, 12, 33, 40)
            w = torch.tensor([{string.Join(',', w.Values.ToArray())}]).reshape(10, 6, 3, 4)
            y = torch.nn.functional.conv2d(x, w, stride=(2, 3), padding=(1, 2), dilation=(1, 2), groups=2)
            print(' '.join(str(int(v)) for v in y.flatten()))
            """;
        Assert.Equal(Oracles.RunPython(program).Trim(), string.Join(' ', y.Values.ToArray().Select(static value => (int)value)));
    }

    private static double Dot(Tensor<double> x, Tensor<double> y) =>
        System.Numerics.Tensors.TensorPrimitives.Dot<double>(x.Values, y.Values);
}
