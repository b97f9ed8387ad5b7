using System.Globalization;
using Tensorial.Execution;
using Tensorial.Tests.Operations;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;
using Tensorial.Training.Schedules;

namespace Tensorial.Tests.Training;

/// <summary>Losses and optimizers against PyTorch's, schedules against their formulas.</summary>
public class LossTests
{
    private const string LossProgram = """
        import sys, torch, torch.nn.functional as F
        z = torch.tensor([float(v) for v in sys.argv[1].split()], dtype=torch.float64).reshape(5, 4).requires_grad_()
        t = torch.tensor([float(v) for v in sys.argv[2].split()], dtype=torch.float64).reshape(5, 4)
        labels = torch.tensor([0, 3, 1, 1, 2])
        def distilled(T, w):
            return (1 - w) * F.cross_entropy(z, labels) + w * T * T * F.kl_div(F.log_softmax(z / T, 1), F.softmax(t / T, 1), reduction='batchmean')
        for loss in (F.cross_entropy(z, labels), F.cross_entropy(z, labels, label_smoothing=0.2), distilled(4, 0.9), distilled(1, 0.5)):
            z.grad = None
            loss.backward()
            print(repr(loss.item()), ' '.join(repr(v) for v in z.grad.flatten().tolist()))
        """;

    [OracleFact(Oracle.PyTorch)]
    public void Losses_and_their_gradients_are_those_of_PyTorch()
    {
        Tensor<float> z = Some.Real<float>([5, 4], 1),
            teacher = Some.Real<float>([5, 4], 2),
            labels = new([5, 4]);
        foreach ((int row, int label) in new[] { (0, 0), (1, 3), (2, 1), (3, 1), (4, 2) })
            labels.Values[row * 4 + label] = 1;
        string[] answers = Oracles.RunPython(LossProgram, Text(z), Text(teacher)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Loss[] losses = [new CrossEntropy(), new CrossEntropy(0.2), new Distillation(4, 0.9), new Distillation(1, 0.5)];
        for (int k = 0; k < losses.Length; k++)
        {
            Tensor<float> gradient = new(z.Shape);
            double loss = losses[k].Evaluate(z, new(labels, teacher), gradient);
            double[] wanted = [.. answers[k].Split(' ').Select(static v => double.Parse(v, CultureInfo.InvariantCulture))];
            Assert.Equal(wanted[0], loss, 1e-6);
            for (int i = 0; i < z.Shape.ElementCount; i++)
                Assert.Equal(wanted[i + 1], gradient.Values[i], 1e-6);
        }
    }

    private const string OptimizerProgram = """
        import sys, torch
        start = [float(v) for v in sys.argv[1].split()]
        for make in (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
                     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
                     lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01),
                     lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)):
            w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
            optimizer = make([w])
            for step in range(7):
                optimizer.zero_grad()
                (w ** 4 / 4 + torch.cos(w * (step + 1))).sum().backward()
                optimizer.step()
            print(' '.join(repr(v) for v in w.tolist()))
        """;

    [OracleFact(Oracle.PyTorch)]
    public void Optimizers_step_as_those_of_PyTorch()
    {
        Tensor<float> start = Some.Real<float>([9], 3);
        string[] answers = Oracles.RunPython(OptimizerProgram, Text(start)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        WeightDecay decay = WeightDecay.Everywhere(0.01);
        Optimizer[] optimizers =
        [
            new Sgd { Decay = decay },
            new Sgd(nesterov: true) { Decay = decay },
            new Adam { Decay = decay },
            new Adam(decoupled: true) { Decay = decay },
        ];
        for (int k = 0; k < optimizers.Length; k++)
        {
            TrainedWeight weight = new(new("w", WeightRole.Bias), start.Clone(), new(start.Shape));
            for (int step = 0; step < 7; step++)
            {
                for (int i = 0; i < 9; i++)
                {
                    double w = weight.Value.Values[i];
                    weight.Gradient.Values[i] = (float)(w * w * w - (step + 1) * Math.Sin(w * (step + 1)));
                }
                optimizers[k].Step([weight], 0.1);
            }
            double[] wanted = [.. answers[k].Split(' ').Select(static v => double.Parse(v, CultureInfo.InvariantCulture))];
            for (int i = 0; i < 9; i++)
                Assert.Equal(wanted[i], weight.Value.Values[i], 2e-5);
        }
    }

    [Fact]
    public void Weights_decay_by_their_role()
    {
        WeightDecay decay = new(0.5);
        foreach (WeightRole role in Enum.GetValues<WeightRole>())
        {
            TrainedWeight weight = new(new("w", role), new([1], new[] { 1f }), new([1]));
            new Sgd(0) { Decay = decay }.Step([weight], 0.1);
            Assert.Equal(role == WeightRole.Kernel ? 0.95f : 1, weight.Value.Values[0]);
        }
    }

    [Theory]
    [
        InlineData("constant", 0, 0.4, 1),
        InlineData("cosine", 0, 0.5, 0.5),
        InlineData("cosine", 0, 1, 0),
        InlineData("step:50,75", 0, 0.49, 1)
    ]
    [
        InlineData("step:50,75", 0, 0.5, 0.1),
        InlineData("step:50,75", 0, 0.8, 0.01),
        InlineData("onecycle", 0, 0, 0.04),
        InlineData("onecycle", 0, 0.3, 1)
    ]
    [InlineData("onecycle", 0, 1, 4e-6), InlineData("constant", 10, 0.05, 0.5), InlineData("constant", 10, 0.1, 1)]
    public void Schedules_follow_their_formulas(string text, double warmUp, double progress, double factor) =>
        Assert.Equal(factor, ScheduleText.Parse(text, 100, warmUp).Factor(progress), 1e-9);

    [Theory, InlineData("linear"), InlineData("step"), InlineData("step:0"), InlineData("step:x")]
    public void An_unknown_schedule_is_refused(string text) => Assert.Throws<BadInputException>(() => ScheduleText.Parse(text, 10));

    private static string Text(Tensor<float> tensor) =>
        string.Join(' ', tensor.Values.ToArray().Select(static v => v.ToString("R", CultureInfo.InvariantCulture)));
}
