using System.CommandLine;
using System.Globalization;
using Tensorial.Graphs;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial inspect: what a network consists of, what it costs, and which of its kernels can be cut.</summary>
internal static class InspectCommand
{
    internal sealed record Options(FileInfo Model, FileInfo? Json)
    {
        /// <summary>Extents of inputs that the network leaves open.</summary>
        public InputShape[] Shapes { get; init; } = [];

        /// <summary>Whether layers are shown as equations.</summary>
        public bool Plan { get; init; }
    }

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<InputShape[]> shapes = CommonOptions.Shapes();
        Option<bool> plan = new("--plan")
        {
            Description =
                "Also show every layer, and every step of a factored one, as an equation over named axes, with its multiply-accumulates and the time that the "
                + "built-in cost model predicts on one thread.",
        };
        Command command = new(
            "inspect",
            "Kernels, their shapes, parameters, multiply-accumulates (MACs) and activations for one image, and along which cuts each kernel can be "
                + "cut, or why it cannot."
        )
        {
            model,
            json,
            shapes,
            plan,
        };
        return command.Finish(
            terminal,
            (parsed, _) =>
                Run(
                    new(parsed.GetRequiredValue(model), parsed.GetValue(json))
                    {
                        Shapes = parsed.GetValue(shapes)!,
                        Plan = parsed.GetValue(plan),
                    },
                    terminal
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal)
    {
        OutputFile.Check(options.Json, options.Model.FullName);
        Inspection found = Inspection.From(options.Model.ToString(), options.Shapes, options.Plan);
        ShowHead(found, terminal);
        ShowLayers(found, terminal);
        ShowOperations(found, terminal);
        if (found.Steps is { } steps)
            ShowSteps(steps, terminal);
        foreach (InspectedLayer layer in found.Layers.Where(static layer => layer.UncutBecause is not null))
            terminal.Say($"Not cut: {layer.Name} ({layer.Node}), because {layer.UncutBecause}.");
        foreach (string warning in found.Warnings)
            terminal.Say($"Warning: {warning}");
        if (options.Json is { } file)
            JsonFile.Write(file, found);
        return ExitCode.Done;
    }

    private static void ShowHead(Inspection found, Terminal terminal)
    {
        string sets = string.Join(", ", found.Format.OperatorSets.Select(static set => $"{set.Key} {set.Value}"));
        string producer = found.Format.Producer.Length > 0 ? $", written by {found.Format.Producer}" : "";
        terminal.Say(
            $"{found.Model.Name}: {Count(found.Model.Bytes)} bytes{(found.Format.ExternalData ? " and data in another file" : "")}, operator set {sets}, IR version {found.Format.IrVersion}{producer}"
        );
        foreach (InspectedPort port in found.Inputs)
            terminal.Say($"  in   {port.Name}: {port}");
        foreach (InspectedPort port in found.Outputs)
            terminal.Say($"  out  {port.Name}: {port}");
        terminal.Say("");
    }

    private static void ShowLayers(Inspection found, Terminal terminal)
    {
        if (found.Layers.Count == 0)
        {
            terminal.Say("The network has no convolution and no dense layer with weights of its own.");
            return;
        }
        TextTable table = new(
            "kernel",
            new("operation", 4),
            new("axes", 5),
            "shape",
            new("groups#", 2),
            "parameters#",
            "MACs#",
            new("output", 3),
            new("activations#", 6),
            new("cuts", 1)
        );
        foreach (InspectedLayer layer in found.Layers)
            table.AddRow(
                layer.Name,
                layer.Operation,
                layer.Axes ?? "",
                Extents(layer.Shape),
                layer.Groups is > 1 and int groups ? Count(groups) : "",
                Count(layer.Parameters),
                Count(layer.Macs),
                Extents(layer.OutputShape),
                Count(layer.Activations),
                CutsOf(layer)
            );
        terminal.Show(table);
        foreach (
            IGrouping<string, InspectedLayer> alike in found
                .Layers.Where(static layer => layer.Cuts.Count > MostCutsInTable)
                .GroupBy(static layer => string.Join("  ", layer.Cuts))
        )
            terminal.Say($"The {alike.First().Cuts.Count} cuts: {alike.Key}");
    }

    /// <summary>
    /// The number of all cuts of order 3 and of the few that matter to a kernel with short axes; more are listed once, below the table.
    /// </summary>
    private const int MostCutsInTable = 3;

    private static string CutsOf(InspectedLayer layer) =>
        layer.UncutBecause is not null ? "none, see below"
        : layer.Cuts.Count > MostCutsInTable ? $"all {layer.Cuts.Count}"
        : string.Join("  ", layer.Cuts);

    private static void ShowOperations(Inspection found, Terminal terminal)
    {
        TextTable table = new("operation", "nodes#", "parameters#", "MACs#", new("activations#", 1));
        foreach (
            IGrouping<string, InspectedNode> alike in found
                .Nodes.GroupBy(static node => node.Operation)
                .OrderByDescending(static group => group.Count())
        )
            table.AddRow(
                alike.Key,
                Count(alike.Count()),
                Count(alike.Sum(static n => n.Parameters)),
                Total(alike, static n => n.Macs),
                Total(alike, static n => n.Activations)
            );
        table.AddRow(
            "all",
            Count(found.Nodes.Count),
            Count(found.Parameters),
            Count(found.Macs),
            Count(found.Nodes.Sum(static n => n.Activations ?? 0))
        );
        terminal.Show(table);
        terminal.Say(
            $"Of the parameters {Count(found.ConvParameters)} are in convolution kernels, {Count(found.KernelParameters - found.ConvParameters)} in dense ones. "
                + $"At most {Count(found.PeakActivations)} activations are alive at once, run node by node."
        );
    }

    private static void ShowSteps(IReadOnlyList<InspectedStep> steps, Terminal terminal)
    {
        TextTable table = new("step", "equation", new("operands and result", 2), "MACs#", "predicted ms#", new("share %#", 1));
        double all = steps.Where(static step => !step.Once).Sum(static step => step.PredictedMs);
        foreach (InspectedStep step in steps)
            table.AddRow(
                step.Node,
                step.Equation,
                $"{string.Join(", ", step.Shapes.SkipLast(1).Select(Extents))} -> {Extents(step.Shapes[^1])}",
                Count(step.Macs),
                step.Once ? "once" : step.PredictedMs.ToString("F3", CultureInfo.InvariantCulture),
                step.Once || all <= 0 ? "" : (100 * step.PredictedMs / all).ToString("F1", CultureInfo.InvariantCulture)
            );
        terminal.Show(table);
        terminal.Say("Steps that are computed once depend on constants alone: runtimes multiply such factors when they load the network.");
    }

    /// <summary>The sum, or a question mark where no summand is known.</summary>
    private static string Total(IEnumerable<InspectedNode> nodes, Func<InspectedNode, long?> number)
    {
        long[] known = [.. nodes.Select(number).OfType<long>()];
        return known.Length == 0 ? "?" : Count(known.Sum());
    }

    private static string Extents(IReadOnlyList<int>? extents) =>
        extents is null ? "?"
        : extents.Count == 0 ? "scalar"
        : string.Join('×', extents);

    private static string Count(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture) ?? "?";
}
