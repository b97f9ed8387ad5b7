using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Which constants of a network were learnt: one walk over its nodes, in time linear in them. Every constant that takes part in what is
/// computed is either trainable, or part of the network's form (a bound, a number of padding, 1/6), or named as fixed with the reason.
/// </summary>
internal sealed class LearntConstants
{
    /// <summary>Constants that one value is made of, at most; what is made of more is no weight.</summary>
    private const int MostRoots = 64;

    /// <summary>A value that depends on no input.</summary>
    /// <param name="Roots">The constants it is made of.</param>
    /// <param name="Through">The operation on the way through which training does not follow; null where there is none.</param>
    private readonly record struct Made(ImmutableArray<string> Roots, string? Through);

    private readonly Dictionary<string, Tensor> _constants;
    private readonly Dictionary<string, Made> _made = [];

    /// <summary>Values behind a first layer with weights.</summary>
    private readonly HashSet<string> _behindLayers = [];

    private readonly Dictionary<string, Node> _makers = [];
    private readonly Dictionary<string, WeightRole> _roles = [];
    private readonly Dictionary<string, FixedConstant> _fixed = [];
    private readonly ImmutableArray<TrainableConstant>.Builder _trainable = ImmutableArray.CreateBuilder<TrainableConstant>();

    public LearntConstants(Graph graph)
    {
        _constants = graph.Initializers.ToDictionary();
        foreach (Node node in graph.Nodes)
            if (node.Operation is Constant constant)
                _constants[node.Outputs[0]] = constant.Value;
        foreach ((string name, Tensor value) in _constants)
            _made[name] = new(value.ElementType.IsFloating() || IsQuantized(value) ? [name] : [], null);
        foreach (Node node in graph.Nodes)
            Visit(node);
    }

    public ImmutableArray<TrainableConstant> Trainable => _trainable.ToImmutable();

    public ImmutableArray<FixedConstant> Fixed =>
        [
            .. _fixed
                .Values.Where(constant => !_roles.ContainsKey(constant.Name))
                .OrderBy(static constant => constant.Name, StringComparer.Ordinal),
        ];

    private void Visit(Node node)
    {
        if (node.Operation is Constant)
            return;
        foreach (string output in node.Outputs)
            _makers[output] = node;
        VisitBodies(node);
        if (node.Inputs.Length > 0 && node.Inputs.All(name => name.Length == 0 || _made.ContainsKey(name)))
        {
            Made made = MadeBy(node);
            foreach (string output in node.Outputs)
                _made[output] = made;
            return;
        }
        bool isLayer = false;
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i].Length == 0 || !_made.TryGetValue(node.Inputs[i], out Made made) || made.Roots.IsEmpty)
                continue;
            WeightRole? role = RoleOf(node, i);
            isLayer |= role == WeightRole.Kernel;
            if (role is { } played && made.Through is null && HasGradient(node, i) && made.Roots.All(IsFloating))
            {
                foreach (string name in made.Roots)
                    if (_roles.TryAdd(name, played))
                        _trainable.Add(new(name, played));
            }
            else if (FixedConstantRules.Reason(node, i, role, made.Through, node.Inputs.Any(_behindLayers.Contains)) is { } reason)
                foreach (string name in made.Roots.Where(name => LooksLearnt(name, node)))
                    _fixed.TryAdd(name, new(name, _constants[name].Shape.ElementCount, node.Label, reason));
        }
        if (isLayer || node.Inputs.Any(_behindLayers.Contains))
            _behindLayers.UnionWith(node.Outputs);
    }

    /// <summary>Weights inside the bodies of branches and loops are not trained.</summary>
    private void VisitBodies(Node node)
    {
        Operation[] bodies = node.Operation switch
        {
            If branches => [branches.Then, branches.Else],
            Loop loop => [loop.Body],
            _ => [],
        };
        foreach (Subgraph body in bodies.OfType<Subgraph>())
        {
            LearntConstants inside = new(body.Body);
            foreach (TrainableConstant constant in inside._trainable)
                _fixed.TryAdd(
                    constant.Name,
                    new(
                        constant.Name,
                        inside._constants[constant.Name].Shape.ElementCount,
                        node.Label,
                        $"it lies inside the body of {node.Operation.Name}"
                    )
                );
        }
    }

    /// <summary>What a weight is made of: one constant that is moved, cut or cast, or several that are multiplied.</summary>
    private Made MadeBy(Node node)
    {
        Made[] parts = [.. node.Inputs.Where(static name => name.Length > 0).Select(name => _made[name])];
        Made all = new(
            [.. parts.SelectMany(static part => part.Roots).Distinct().Take(MostRoots)],
            parts.Select(static part => part.Through).FirstOrDefault(static through => through is not null)
        );
        return node.Operation switch
        {
            Reshaping or Transpose or Slice or Cast => _made[node.Inputs[0]],
            // A number alone, such as 1/6, is part of the network's form.
            Mul => all with { Roots = [.. all.Roots.Where(name => _constants[name].Shape.ElementCount > 1)] },
            MatMul or EinsumOf => all,
            _ => all with { Through = all.Through ?? node.Operation.Name },
        };
    }

    private WeightRole? RoleOf(Node node, int input) =>
        node.Operation switch
        {
            Convolution or ConvolutionTranspose or Gemm => input < 2 ? WeightRole.Kernel : WeightRole.Bias,
            MatMul or EinsumOf or FusedMatMul => WeightRole.Kernel,
            Recurrent => input is 1 or 2 ? WeightRole.Kernel
            : input == 3 ? WeightRole.Bias
            : null,
            ConvInteger or MatMulInteger or QLinearConv or QLinearMatMul or QGemm => IsQuantized(node, input) ? WeightRole.Kernel : null,
            Gather when input == 0 && IsTable(node.Inputs[0]) => WeightRole.Kernel,
            InstanceNormalization when IsFormOfGroups(node) => null,
            BatchNormalization or BatchNormalizationInTraining or InstanceNormalization or LayerNormalization or GroupNormalization => input
                is 1
                    or 2
                ? WeightRole.Normalization
                : null,
            RmsNormalization or PRelu => input == 1 ? WeightRole.Normalization : null,
            Add when node.Inputs.Length == 2 && IsLearntBeside(node, input) => WeightRole.Bias,
            Mul when node.Inputs.Length == 2 && IsLearntBeside(node, input) => WeightRole.Normalization,
            _ => null,
        };

    private static bool HasGradient(Node node, int input) =>
        node.Operation.GradientReads(input) is not null && node.Operation is not Recurrent { Clip: > 0 };

    /// <summary>
    /// Whether what is added to, or multiplied with, a computed value was learnt: one number for each channel, or a table that holds other
    /// than whole numbers and halves, as grids, masks and strides do. What stands before the first layer prepares the input.
    /// </summary>
    private bool IsLearntBeside(Node node, int input) =>
        _behindLayers.Contains(node.Inputs[1 - input])
        && _made.TryGetValue(node.Inputs[input], out Made made)
        && made is { Roots: [{ } root], Through: null }
        && _constants[root] is { Shape.ElementCount: > 1 } value
        && (value.Shape.Count(static extent => extent > 1) == 1 || !IsGrid(value));

    private bool IsTable(string name) =>
        _made.TryGetValue(name, out Made made)
        && made.Roots is [{ } root]
        && _constants[root] is { Shape: { Rank: 2, ElementCount: > 1 } } table
        && table.ElementType.IsFloating();

    /// <summary>
    /// Whether an instance normalisation is half of a group normalisation: its input is parted into groups, its own scale and shift are ones
    /// and zeros, and those of the channels follow as Mul and Add.
    /// </summary>
    private bool IsFormOfGroups(Node node) =>
        node.Inputs.Length == 3
        && _makers.TryGetValue(node.Inputs[0], out Node? maker)
        && maker.Operation is Reshaping
        && IsUniform(node.Inputs[1], 1)
        && IsUniform(node.Inputs[2], 0);

    private bool IsUniform(string name, double value) =>
        _constants.TryGetValue(name, out Tensor? constant)
        && !constant.To(ElementType.Float64).Of<double>().Values.ContainsAnyExcept(value);

    private bool IsFloating(string name) => _constants[name].ElementType.IsFloating();

    private bool IsQuantized(Node node, int input) =>
        _made.TryGetValue(node.Inputs[input], out Made made) && made.Roots.Any(name => IsQuantized(_constants[name]));

    /// <summary>Weights of 8 bits: what else a network keeps in whole numbers has 32 or 64.</summary>
    private static bool IsQuantized(Tensor value) =>
        value is { ElementType: ElementType.Int8 or ElementType.UInt8, Shape.ElementCount: > 1 };

    /// <summary>
    /// Whether a constant could have been learnt: several numbers that differ, or a single one, added or multiplied, that nobody would
    /// write down. What scales and shifts computed values counts also where all its numbers are the same.
    /// </summary>
    private bool LooksLearnt(string name, Node node)
    {
        Tensor value = _constants[name];
        bool isArithmetic = node.Operation is Add or Mul or Sub or Div;
        if (value.Shape.ElementCount == 1)
            return node.Operation is Add or Mul
                && node.Inputs.Any(_behindLayers.Contains)
                && !FixedConstantRules.IsWrittenDown(value.To(ElementType.Float64).Of<double>().Values[0]);
        return value.Shape.ElementCount > 1 && (isArithmetic || !IsSame(value));
    }

    private static bool IsSame(Tensor value)
    {
        ReadOnlySpan<double> numbers = value.To(ElementType.Float64).Of<double>().Values;
        return !numbers.ContainsAnyExcept(numbers[0]);
    }

    private static bool IsGrid(Tensor value)
    {
        foreach (double number in value.To(ElementType.Float64).Of<double>().Values)
            if (2 * number != Math.Floor(2 * number))
                return false;
        return true;
    }
}
