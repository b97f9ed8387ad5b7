using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Which constants of a network were learnt: one walk over its nodes, in time linear in them.</summary>
internal sealed class LearntConstants
{
    private readonly Dictionary<string, Tensor> _constants;

    /// <summary>The constants that a value is made of; values that depend on inputs are not listed.</summary>
    private readonly Dictionary<string, ImmutableArray<string>> _roots = [];

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
            _roots[name] = value.ElementType.IsFloating() ? [name] : [];
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
        if (node.Inputs.Length > 0 && node.Inputs.All(name => name.Length == 0 || _roots.ContainsKey(name)))
        {
            ImmutableArray<string> roots = RootsOf(node);
            foreach (string output in node.Outputs)
                _roots[output] = roots;
            return;
        }
        bool isLayer = false;
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (!_roots.TryGetValue(node.Inputs[i], out ImmutableArray<string> roots))
                continue;
            if (RoleOf(node, i) is { } role)
            {
                isLayer |= role == WeightRole.Kernel;
                foreach (string name in roots)
                    if (_roles.TryAdd(name, role))
                        _trainable.Add(new(name, role));
            }
            else if (ReasonOf(node, i) is { } reason)
                foreach (string name in roots.Where(name => _constants[name].Shape.ElementCount > 1))
                    _fixed.TryAdd(name, new(name, _constants[name].Shape.ElementCount, node.Label, reason));
        }
        if (isLayer || node.Inputs.Any(_behindLayers.Contains))
            _behindLayers.UnionWith(node.Outputs);
    }

    /// <summary>The constants that a weight is made of: one that is moved, cut or cast, or several that are multiplied.</summary>
    private ImmutableArray<string> RootsOf(Node node) =>
        node.Operation switch
        {
            Reshaping or Transpose or Slice or Cast => _roots[node.Inputs[0]],
            // A number alone, such as 1/6, is part of the network's form.
            Mul => [.. node.Inputs.SelectMany(name => _roots[name]).Distinct().Where(name => _constants[name].Shape.ElementCount > 1)],
            MatMul or EinsumOf => [.. node.Inputs.SelectMany(name => _roots[name]).Distinct()],
            _ => [],
        };

    private WeightRole? RoleOf(Node node, int input) =>
        node.Operation switch
        {
            Convolution or ConvolutionTranspose or Gemm => input < 2 ? WeightRole.Kernel : WeightRole.Bias,
            MatMul or EinsumOf => WeightRole.Kernel,
            Gather when input == 0 && IsTable(node.Inputs[0]) => WeightRole.Kernel,
            InstanceNormalization when IsFormOfGroups(node) => null,
            BatchNormalization or BatchNormalizationInTraining or InstanceNormalization or LayerNormalization => input is 1 or 2
                ? WeightRole.Normalization
                : null,
            PRelu => input == 1 ? WeightRole.Normalization : null,
            Add when node.Inputs.Length == 2 && IsLearntBeside(node, input) => WeightRole.Bias,
            Mul when node.Inputs.Length == 2 && IsLearntBeside(node, input) => WeightRole.Normalization,
            _ => null,
        };

    /// <summary>
    /// Whether what is added to, or multiplied with, a computed value was learnt: one number for each channel, or a table that holds other
    /// than whole numbers, as grids, masks and strides do. What stands before the first layer prepares the input.
    /// </summary>
    private bool IsLearntBeside(Node node, int input) =>
        _behindLayers.Contains(node.Inputs[1 - input])
        && _constants.TryGetValue(node.Inputs[input], out Tensor? value)
        && value.Shape.ElementCount > 1
        && (value.Shape.Count(static extent => extent > 1) == 1 || !IsWhole(value));

    private bool IsTable(string name) =>
        _constants.TryGetValue(name, out Tensor? table) && table.ElementType.IsFloating() && table.Shape is { Rank: 2, ElementCount: > 1 };

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

    private static bool IsWhole(Tensor value)
    {
        foreach (double number in value.To(ElementType.Float64).Of<double>().Values)
            if (number != Math.Floor(number))
                return false;
        return true;
    }

    /// <summary>Why a constant that an operation could have learnt is left alone; null where nothing of the kind is learnt.</summary>
    private string? ReasonOf(Node node, int input) =>
        node.Operation switch
        {
            Add or Mul or Sub or Div when !node.Inputs.Any(_behindLayers.Contains) => "it prepares the input, before the first layer",
            Add or Mul => "it holds whole numbers in several axes, as grids and masks do",
            Sub or Div or Pow => $"{node.Operation.Name} is no layer with weights",
            BatchNormalization or BatchNormalizationInTraining or InstanceNormalization => null,
            Gather or Concat or Where => $"{node.Operation.Name} only moves it",
            Unknown => $"{node.Operation.Name} has no gradient here",
            _ => null,
        };
}
