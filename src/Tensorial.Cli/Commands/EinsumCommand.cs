using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Tensorial.Equations;

namespace Tensorial.Cli.Commands;

using PlanOptions = Tensorial.Equations.PlanOptions;

/// <summary>tensorial einsum: the order in which an equation is evaluated, and what it costs.</summary>
internal static class EinsumCommand
{
    internal sealed record Options(
        string Equation,
        IReadOnlyList<Shape> Shapes,
        PlanOptions Plan,
        bool Calibrates,
        FileInfo? Cost,
        FileInfo? Json
    );

    public static Command Create(Terminal terminal)
    {
        Argument<string> equation = new("equation")
        {
            Description = "Such as \"bshw,rs,rhw,rt->bthw|hw\" (docs/einsum.md); axes behind the bar are convolved.",
        };
        Option<Shape[]> shapes = new("--shapes")
        {
            HelpName = "SHAPE,...",
            Description = "Extents of every operand, such as 8x16x32x32,4x16,4x3x3,4x32; scalar for an operand without axes.",
            Required = true,
            CustomParser = static result => [.. CommonOptions.Each(result, ShapesOf).SelectMany(static shapes => shapes)],
        };
        Option<bool> backward = new("--backward")
        {
            Description = "Look for the order that is cheapest for the result and the gradients of all operands together.",
        };
        Option<long?> limit = new("--memory-limit")
        {
            HelpName = "VALUES",
            Description = "Computed values that may be alive at once, the result among them.",
        };
        limit.Validators.Add(static result =>
        {
            if (result.Tokens.Count > 0 && long.TryParse(result.Tokens[0].Value, out long value) && value < 1)
                result.AddError($"--memory-limit must be at least 1, not {value}.");
        });
        Option<bool> calibrate = new("--calibrate")
        {
            Description =
                "Time single steps on this machine first, and plan by what they cost here; without, plans are the same everywhere.",
        };
        Option<FileInfo?> cost = new("--cost")
        {
            HelpName = "FILE",
            Description = "Cost model (JSON): written after --calibrate, otherwise read.",
        };
        Option<int> seed = CommonOptions.Seed();
        Option<FileInfo?> json = CommonOptions.Json();
        Command command = new(
            "einsum",
            "Plans an equation over named axes, convolved ones among them: every step with its multiply-accumulates (MACs), beside the order from left to right."
        )
        {
            equation,
            shapes,
            backward,
            limit,
            calibrate,
            cost,
            seed,
            json,
        };
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(equation),
                        parsed.GetRequiredValue(shapes),
                        new()
                        {
                            Goal = parsed.GetValue(backward) ? PlanGoal.ForwardAndBackward : PlanGoal.Forward,
                            MemoryLimit = parsed.GetValue(limit),
                            Seed = parsed.GetValue(seed),
                        },
                        parsed.GetValue(calibrate),
                        parsed.GetValue(cost),
                        parsed.GetValue(json)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        if (options.Calibrates)
            OutputFile.Check(options.Cost);
        OutputFile.Check(options.Json, options.Cost is null ? [] : [options.Cost.FullName]);
        Equation equation = Equation.Parse(options.Equation);
        Shape[] shapes = [.. options.Shapes];
        CostModel model = ModelOf(options, terminal, cancel);
        Plan plan = Plan.Create(equation, options.Plan with { Cost = model }, shapes),
            naive = Plan.Create(equation, new() { Search = PlanSearch.LeftToRight, Cost = model }, shapes);

        terminal.Say($"{equation}: {string.Join(", ", shapes)} -> {plan.Result}");
        Show("Planned", plan, terminal);
        Show("From left to right", naive, terminal);
        if (naive.Macs > 0)
            terminal.Say(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The planned order takes {(double)plan.Macs / naive.Macs:P1} of the multiply-accumulates of that from left to right."
                )
            );
        terminal.Say($"Times are expected ones, on one thread, of the cost model {model.Source}.");
        if (options.Json is { } file)
        {
            JsonFile.Write(
                file,
                new EinsumFile(
                    1,
                    equation.ToString(),
                    [.. shapes.Select(ExtentsOf)],
                    ExtentsOf(plan.Result),
                    plan.Macs,
                    naive.Macs,
                    plan.PeakElements,
                    naive.PeakElements,
                    [.. plan.Steps.Select(EinsumStep.From)],
                    [.. naive.Steps.Select(EinsumStep.From)],
                    model,
                    plan.Seconds,
                    naive.Seconds
                )
            );
        }
        return ExitCode.Done;
    }

    /// <summary>The model to plan by: measured now, measured before, or the built-in one.</summary>
    private static CostModel ModelOf(Options options, Terminal terminal, CancellationToken cancel)
    {
        if (!options.Calibrates)
            return options.Cost is { } known ? CostModelFile.Read(known.ToString()) : CostModel.Default;
        terminal.Note("timing single steps of many kinds");
        ImmutableArray<MeasuredStep> steps = CostCalibration.Measure(cancel);
        CostModel model = CostCalibration.Fit(
            steps,
            string.Create(
                CultureInfo.InvariantCulture,
                $"measured {DateTime.UtcNow:yyyy-MM-dd}, {RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}"
            )
        );
        terminal.Note(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{steps.Length} steps: off by a factor of {Off(CostModel.Default):F2} in the mean with the built-in model, {Off(model):F2} with this one"
            )
        );
        if (options.Cost is { } file)
            CostModelFile.Write(model, file.FullName);
        return model;

        double Off(CostModel by) => Math.Exp(steps.Average(step => Math.Abs(Math.Log(step.Ratio(by)))));
    }

    private static void Show(string title, Plan plan, Terminal terminal)
    {
        terminal.Say("");
        terminal.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{title}: {plan.Macs:N0} MACs, at most {plan.PeakElements:N0} computed values alive at once, {1e6 * plan.Seconds:N0} µs"
            )
        );
        if (plan.Steps.IsEmpty)
            return;
        TextTable table = new("step#", "expression", new("result", 2), "MACs#", new("bytes#", 3), new("scratch bytes#", 4), new("µs#", 1));
        foreach (PlanStep step in plan.Steps)
            table.AddRow(
                Count(table.Rows.Count + 1),
                step.Expression,
                step.Shape.ToString(),
                Count(step.Macs),
                Count(step.Bytes),
                Count(step.Scratch),
                string.Create(CultureInfo.InvariantCulture, $"{1e6 * step.Seconds:N1}")
            );
        terminal.Show(table);
    }

    private static Shape[] ShapesOf(string text) => [.. text.Split(',').Select(ShapeOf)];

    private static Shape ShapeOf(string text)
    {
        if (text is "" or "scalar")
            return [];
        string[] parts = text.Split('x', '×');
        int[] extents =
        [
            .. parts.Select(static part =>
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent : -1
            ),
        ];
        return extents.Contains(-1)
            ? throw new BadInputException($"'{text}' is no shape; extents joined by x are, such as 8x16x32x32, or scalar.")
            : Shape.From(extents);
    }

    private static int[] ExtentsOf(Shape shape) => [.. shape];

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    internal sealed record EinsumStep(
        int Left,
        int? Right,
        string Expression,
        int[] Shape,
        long Macs,
        long Bytes,
        long Scratch,
        double Seconds
    )
    {
        public static EinsumStep From(PlanStep step) =>
            new(step.Left, step.Right, step.Expression, ExtentsOf(step.Shape), step.Macs, step.Bytes, step.Scratch, step.Seconds);
    }

    internal sealed record EinsumFile(
        int SchemaVersion,
        string Equation,
        int[][] Shapes,
        int[] Result,
        long Macs,
        long NaiveMacs,
        long PeakElements,
        long NaivePeakElements,
        EinsumStep[] Steps,
        EinsumStep[] NaiveSteps,
        CostModel CostModel,
        double Seconds,
        double NaiveSeconds
    );
}
