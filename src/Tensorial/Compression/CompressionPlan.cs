using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>Which layer is written how, and why: data that people may edit. See docs/compress.md.</summary>
/// <param name="SchemaVersion">Raised when a field changes its meaning.</param>
/// <param name="Model">File name of the network it was made for.</param>
/// <param name="Sha256">Of that file.</param>
/// <param name="Targets">What was asked for.</param>
/// <param name="Layers">Every layer that could be written as factors.</param>
internal sealed record CompressionPlan(
    int SchemaVersion,
    string? Model,
    string? Sha256,
    ImmutableArray<string>? Targets,
    ImmutableArray<PlannedLayer> Layers
)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        TypeInfoResolver = CompressionJsonTypes.Default,
    };

    /// <summary>The plan that choices make for a model's file.</summary>
    public static CompressionPlan From(
        string model,
        string sha256,
        IEnumerable<CompressionTarget> targets,
        IEnumerable<CompressionCandidate> chosen
    ) =>
        new(
            1,
            model,
            sha256,
            [.. targets.Select(static target => target.ToString())],
            [
                .. chosen.Select(static c => new PlannedLayer(
                    c.Layer.Name,
                    c.Format?.ToString(),
                    c.Form?.Ranks,
                    c.Form?.Form.Tensor.Text,
                    c.Format is { IsReshaped: true }
                        ? [.. c.Form!.Form.Folding.Parts.Take(2).Select(static parts => parts.ToImmutableArray())]
                        : null,
                    c.Form?.Order.Stages,
                    c.Layer.Parameters,
                    c.Parameters,
                    c.Layer.Macs,
                    c.Macs,
                    c.RelativeError,
                    c.Sensitivity,
                    ReasonOf(c)
                )),
            ]
        );

    /// <summary>Reads a plan.</summary>
    /// <exception cref="BadInputException">The file is no plan.</exception>
    public static CompressionPlan Read(string path)
    {
        CompressionPlan plan = JsonInput.Read<CompressionPlan>(InputFile.ReadBytes(path), path, "plan", Json);
        return plan.SchemaVersion == 1
            ? plan
            : throw new BadInputException($"'{path}' is a plan of version {plan.SchemaVersion}; version 1 is read.");
    }

    /// <summary>Writes the plan as JSON.</summary>
    public void Write(string path) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, Json.TypeOf<CompressionPlan>()));

    /// <summary>The candidates that the plan names.</summary>
    /// <exception cref="BadInputException">The plan does not fit the network: names what.</exception>
    public ImmutableArray<CompressionCandidate> ChoicesFor(ImmutableArray<CompressibleLayer> layers)
    {
        Dictionary<string, PlannedLayer> plans = [];
        foreach (PlannedLayer planned in Layers.IsDefault ? [] : Layers)
        {
            CompressibleLayer[] named = [.. layers.Where(layer => layer.Name == planned.Name)];
            if (named.Length == 0)
                named = [.. layers.Where(layer => layer.Weight.Names.Contains(planned.Name))];
            if (named.Length != 1)
                throw new BadInputException(
                    named.Length == 0
                        ? $"The plan names the layer '{planned.Name}', which the network does not have or which cannot be factored."
                        : $"The plan names '{planned.Name}', which several nodes are called: name the weights, {string.Join(", ", named.Select(static layer => $"'{layer.Name}'"))}."
                );
            if (planned is { Format: null, Ranks.Length: > 0 })
                throw new BadInputException(
                    $"The plan gives '{planned.Name}' ranks and no format; give both, or neither to keep it dense."
                );
            if (!plans.TryAdd(named[0].Name, planned))
                throw new BadInputException($"The plan names the layer '{named[0].Name}' twice.");
        }
        return
        [
            .. layers.Select(layer =>
                plans.GetValueOrDefault(layer.Name) is { Format: not null } planned ? planned.For(layer) : CompressionCandidate.Dense(layer)
            ),
        ];
    }

    private static string ReasonOf(CompressionCandidate c) =>
        c.Format is null
            ? "dense: no smaller form of it was worth its damage"
            : FormattableString.Invariant(
                $"{(double)c.Parameters / c.Layer.Parameters:P0} of its parameters at a relative error of {c.RelativeError:F3}"
            );
}

/// <summary>One layer of a plan.</summary>
/// <param name="Name">The weight's initializer name; the name of the node that reads it is understood too.</param>
/// <param name="Format">The format; null keeps the layer dense.</param>
/// <param name="Ranks">The format's ranks.</param>
/// <param name="Equation">How the factors make the kernel; for people.</param>
/// <param name="Reshape">Reshaped formats: the parts of the output's channels and those of the input's; the usual ones where it is
/// missing.</param>
/// <param name="Order">Stages of factors, by their places in the equation (<see cref="FactorOrder"/>); the cheapest where it is
/// missing.</param>
/// <param name="ParametersBefore">Of the dense kernel.</param>
/// <param name="ParametersAfter">Of the factors.</param>
/// <param name="MacsBefore">For one image.</param>
/// <param name="MacsAfter">For one image.</param>
/// <param name="RelativeError">Of the kernel, as fitted when the plan was made.</param>
/// <param name="Sensitivity">Expected KL divergence of the network's predictions, nats, from this layer alone; without data e² / (1 - e²) of the
/// relative error e.</param>
/// <param name="Reason">For people.</param>
internal sealed record PlannedLayer(
    string Name,
    string? Format,
    ImmutableArray<int>? Ranks,
    string? Equation = null,
    ImmutableArray<ImmutableArray<int>>? Reshape = null,
    ImmutableArray<ImmutableArray<int>>? Order = null,
    [property: Range(0, long.MaxValue)] long ParametersBefore = 0,
    [property: Range(0, long.MaxValue)] long ParametersAfter = 0,
    [property: Range(0, long.MaxValue)] long MacsBefore = 0,
    [property: Range(0, long.MaxValue)] long MacsAfter = 0,
    [property: Range(0, double.MaxValue)] double RelativeError = 0,
    [property: Range(0, double.MaxValue)] double Sensitivity = 0,
    string? Reason = null
)
{
    /// <exception cref="BadInputException">The format or the ranks do not fit the layer.</exception>
    internal CompressionCandidate For(CompressibleLayer layer)
    {
        try
        {
            KernelForm form = layer.FormOf(KernelFormat.Parse(Format!));
            if (Reshape is { } parts)
                form = Reshaped(form, parts);
            ImmutableArray<int> ranks = Ranks ?? [];
            form.Check(ranks.AsSpan());
            FactorOrder order = Order is { } stages ? new(stages) : TermOrders.Cheapest(form, ranks, layer);
            TermOrders.Parted(form, order);
            return CompressionCandidate.From(layer, new(form, ranks, order), RelativeError, Sensitivity);
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"The plan does not fit '{Name}': {error.Message}", error);
        }
    }

    private static KernelForm Reshaped(KernelForm form, ImmutableArray<ImmutableArray<int>> parts)
    {
        Shape weight = form.Folding.Shape;
        if (!form.Format.IsReshaped)
            throw new BadInputException($"{form.Format} splits no channels, and reshape says how.");
        if (parts.Length != 2 || parts.Any(static mode => mode.IsDefaultOrEmpty || mode.Any(static part => part < 1)))
            throw new BadInputException("reshape has two lists of parts of 1 or more: of the output's channels and of the input's.");
        Folding folding = new(weight, [.. parts.Select(static mode => Shape.From(mode.AsSpan())), [weight[2]], [weight[3]]]);
        if (folding.Padded[0] < weight[0] || folding.Padded[1] < weight[1])
            throw new BadInputException($"reshape splits channels into {folding.Folded}, which is fewer than {weight[0]} and {weight[1]}.");
        return KernelForm.From(form.Format with { Number = parts[0].Length }, weight, 1, folding);
    }
}
