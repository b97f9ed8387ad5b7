using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Replaces an equation that convolves axes, or has more than two operands, by the pairwise steps of its plan as nodes: convolutions,
/// transposed convolutions, products of two operands, and the reshapes and transposes between them. So a layer that is an equation runs on
/// the kernels of convolutions, its gradients share the intermediate values, and it can be written as standard ONNX.
/// </summary>
internal static class ExpandEquations
{
    /// <summary>The network as it runs: equations that convolve, or have more than two operands, in steps.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="shapes">Types and extents of its values.</param>
    /// <param name="goal">What plans are to be good at.</param>
    public static Graph ForExecution(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes, PlanGoal goal) =>
        Apply(graph, shapes, goal, static equation => !equation.Windows.IsEmpty || equation.Inputs.Length > 2, keepsProducts: true);

    /// <summary>The network in standard operators.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="shapes">Types and extents of its values; the batch stays free.</param>
    /// <param name="hasEinsum">Whether the operator set knows plain equations.</param>
    public static Graph ToStandardOperators(Graph graph, IReadOnlyDictionary<string, ValueInfo> shapes, bool hasEinsum) =>
        Apply(graph, shapes, PlanGoal.Forward, equation => !hasEinsum || !equation.IsPlain, keepsProducts: hasEinsum);

    private static Graph Apply(
        Graph graph,
        IReadOnlyDictionary<string, ValueInfo> shapes,
        PlanGoal goal,
        Func<Equation, bool> isExpanded,
        bool keepsProducts
    )
    {
        if (!graph.Nodes.Any(IsExpanded))
            return graph;
        NodeWriter writer = new(graph);
        foreach (Node node in graph.Nodes)
            if (!IsExpanded(node) || !TryExpand(node, graph, shapes, goal, keepsProducts, writer))
                writer.Nodes.Add(node);
        return writer.ToGraph();

        bool IsExpanded(Node node) => node.Operation is EinsumOf einsum && isExpanded(einsum.Equation);
    }

    private static bool TryExpand(
        Node node,
        Graph graph,
        IReadOnlyDictionary<string, ValueInfo> shapes,
        PlanGoal goal,
        bool keepsProducts,
        NodeWriter writer
    )
    {
        Equation equation = ((EinsumOf)node.Operation).Equation;
        Shape[] extents = [.. node.Inputs.Select(name => shapes[name].Shape)];
        PlanOptions usual = PlanOptions.Default with { Goal = goal };
        // Operands that are weights are multiplied with each other once; not every order of theirs is one of operators, though.
        foreach (PlanOptions options in (PlanOptions[])[usual.WithParameters(node.Inputs, graph.Initializers.ContainsKey), usual])
        {
            Plan plan = Plan.Create(equation, options, extents);
            if (PairSteps.Of(plan) is not { } steps)
                continue;
            writer.Write(node, plan, steps, keepsProducts);
            return true;
        }
        return false;
    }

    /// <summary>Collects nodes and the constants they need, under names that are new.</summary>
    private sealed class NodeWriter(Graph graph)
    {
        private readonly UniqueNames _names = UniqueNames.From(graph);
        private readonly ImmutableDictionary<string, Tensor>.Builder _constants = graph.Initializers.ToBuilder();

        public List<Node> Nodes { get; } = [];

        public Graph ToGraph() => graph with { Nodes = [.. Nodes], Initializers = _constants.ToImmutable() };

        public void Write(Node node, Plan plan, ImmutableArray<PairStep> steps, bool keepsProducts)
        {
            Problem problem = plan.Problem;
            Algebra algebra = plan.PlannedSteps.Algebra;
            // The batch may be any number where the network is written to a file.
            int batch = algebra.Axes.IndexOf(problem.Inputs[0][0], StringComparison.Ordinal);
            List<AxisTensor> values = [];
            for (int i = 0; i < problem.Inputs.Length; i++)
            {
                string name = i < problem.Given ? node.Inputs[i] : Ones(node, problem.Shapes[i]);
                values.Add(AxisTensor.From(name, problem.Inputs[i], algebra, algebra.Operands[i]));
            }
            for (int k = 0; k < steps.Length; k++)
            {
                string label = $"{node.Outputs[0]}/step{k + 1}";
                values.Add(
                    steps[k] switch
                    {
                        PairStep.Summed summed => Sum(label, summed, values),
                        PairStep.Product product when keepsProducts => Product(label, product, values),
                        PairStep.Product product => MatrixProduct(label, product, values, batch),
                        PairStep.Convolved convolved => Convolve(label, convolved, values, batch),
                        _ => throw new InvalidOperationException(),
                    }
                );
            }
            ImmutableArray<ImmutableArray<int>> wanted =
            [
                .. problem.Output.Select(
                    ImmutableArray<int> (axis, place) =>
                        values[^1].Term.Has(algebra.Axes.IndexOf(axis, StringComparison.Ordinal))
                            ? [algebra.Axes.IndexOf(axis, StringComparison.Ordinal)]
                            : []
                ),
            ];
            AxisTensor result = Arrange(node.Outputs[0], values[^1], wanted, batch);
            // The last node makes the equation's own result.
            if (Nodes.FindLastIndex(made => made.Outputs[0] == result.Name) is var last and >= 0)
                Nodes[last] = Nodes[last] with { Outputs = [node.Outputs[0]] };
            else
                Nodes.Add(new(node.Name, new Identity(), [result.Name], [node.Outputs[0]]));
        }

        private AxisTensor Sum(string label, PairStep.Summed step, List<AxisTensor> values)
        {
            AxisTensor x = values[step.Operand];
            ImmutableArray<int> places =
            [
                .. Enumerable.Range(0, x.Dimensions.Length).Where(place => x.Dimensions[place].Any(axis => !step.Term.Has(axis))),
            ];
            string name = Put(label, new ReduceSum { Axes = places, KeepDims = false }, x.Name);
            return new(name, [.. x.Dimensions.Where((_, place) => !places.Contains(place))], step.Term);
        }

        private AxisTensor Product(string label, PairStep.Product step, List<AxisTensor> values)
        {
            (AxisTensor a, AxisTensor b) = (values[step.Left].Single(), values[step.Right].Single());
            AxisTensor left = Arrange($"{label}/left", values[step.Left], a.Dimensions, -1),
                right = Arrange($"{label}/right", values[step.Right], b.Dimensions, -1);
            ImmutableArray<ImmutableArray<int>> result =
            [
                .. a.Dimensions.Concat(b.Dimensions.Where(axis => !a.Term.Has(axis[0]))).Where(axis => step.Term.Has(axis[0])),
            ];
            Equation pair = new([Letters(a.Dimensions), Letters(b.Dimensions)], Letters(result));
            return new(Put(label, new EinsumOf(pair), left.Name, right.Name), result, step.Term);
        }

        /// <summary>[batch, left, summed] times [batch, summed, right].</summary>
        private AxisTensor MatrixProduct(string label, PairStep.Product step, List<AxisTensor> values, int batch)
        {
            (AxisTensor a, AxisTensor b) = (values[step.Left], values[step.Right]);
            ImmutableArray<int> own = a.Axes,
                other = b.Axes;
            ImmutableArray<int> both = [.. own.Where(axis => other.Contains(axis) && step.Term.Has(axis))],
                summed = [.. own.Where(axis => other.Contains(axis) && !step.Term.Has(axis))],
                left = [.. own.Where(axis => !other.Contains(axis))],
                right = [.. other.Where(axis => !own.Contains(axis))];
            AxisTensor first = Arrange($"{label}/left", a, [both, left, summed], batch),
                second = Arrange($"{label}/right", b, [both, summed, right], batch);
            return new(Put(label, new MatMul(), first.Name, second.Name), [both, left, right], step.Term);
        }

        private AxisTensor Convolve(string label, PairStep.Convolved step, List<AxisTensor> values, int batch)
        {
            PairRoles roles = step.Roles;
            ImmutableArray<int> from = roles.IsTransposed ? roles.Outputs : roles.Inputs,
                to = roles.IsTransposed ? roles.Inputs : roles.Outputs;
            AxisTensor signal = Arrange(
                $"{label}/signal",
                values[step.Signal],
                [roles.Batch, [.. roles.Groups, .. from], .. roles.Space.Select(ImmutableArray<int> (axis) => [axis])],
                batch
            );
            AxisTensor kernel = Arrange(
                $"{label}/kernel",
                values[step.Kernel],
                [
                    [.. roles.Groups, .. roles.Outputs],
                    roles.Inputs,
                    .. roles.Space.Select(ImmutableArray<int> (axis) => values[step.Kernel].Term.Has(axis) ? [axis] : []),
                ],
                batch
            );
            string turned = Backwards($"{label}/signal", signal.Name, roles.Mirrored),
                weights = Backwards($"{label}/kernel", kernel.Name, [.. roles.Window.Select(static axis => axis.RunsBackwards)]);
            string name = Put(label, roles.ToOperation(values[step.Signal].Term, step.Term), turned, weights);
            return new(
                name,
                [roles.Batch, [.. roles.Groups, .. to], .. roles.Space.Select(ImmutableArray<int> (axis) => [axis])],
                step.Term
            );
        }

        /// <summary>A map or a kernel taken backwards along some of its spatial axes.</summary>
        private string Backwards(string label, string name, ImmutableArray<bool> isBackwards)
        {
            long[] axes = [.. Enumerable.Range(0, isBackwards.Length).Where(k => isBackwards[k]).Select(static k => k + 2L)];
            if (axes.Length == 0)
                return name;
            return Put(
                $"{label} turned",
                new Slice(),
                name,
                Constant($"{label} starts", [.. axes.Select(static _ => -1L)]),
                Constant($"{label} ends", [.. axes.Select(static _ => long.MinValue + 1)]),
                Constant($"{label} axes", axes),
                Constant($"{label} steps", [.. axes.Select(static _ => -1L)])
            );
        }

        /// <summary>A value with its axes in other places: split, moved, joined.</summary>
        private AxisTensor Arrange(string label, AxisTensor x, ImmutableArray<ImmutableArray<int>> wanted, int batch)
        {
            if (x.LiesAs(wanted))
                return x;
            ImmutableArray<int> order = [.. wanted.SelectMany(static axes => axes)],
                now = x.Axes;
            string name = x.Name;
            if (!now.SequenceEqual(order))
            {
                AxisTensor single = x.Single();
                if (!x.LiesAs(single.Dimensions))
                    name = Reshaped($"{label} split", name, single, batch);
                name = Put($"{label} moved", new Transpose([.. order.Select(axis => now.IndexOf(axis))]), name);
                x = new(name, [.. order.Select(ImmutableArray<int> (axis) => [axis])], x.Term);
            }
            AxisTensor result = new(name, wanted, x.Term);
            return x.LiesAs(wanted) ? result : result with { Name = Reshaped($"{label} joined", name, result, batch) };
        }

        private string Reshaped(string label, string name, AxisTensor result, int batch)
        {
            long[] extents =
            [
                .. result.Dimensions.Select(axes =>
                    axes.Contains(batch) ? -1 : axes.Aggregate(1L, (count, axis) => count * result.Term[axis].Extent)
                ),
            ];
            return Put(label, new Reshape(), name, Constant($"{label} shape", extents));
        }

        private string Ones(Node node, Shape shape)
        {
            Tensor<float> ones = new(shape);
            ones.Values.Fill(1);
            string name = _names.Unique($"{node.Outputs[0]}/ones");
            _constants[name] = ones;
            return name;
        }

        private string Constant(string label, long[] values)
        {
            string name = _names.Unique(label);
            _constants[name] = new Tensor<long>([values.Length], values);
            return name;
        }

        private string Put(string label, Operation operation, params ReadOnlySpan<string> inputs)
        {
            string name = _names.Unique(label);
            Nodes.Add(new(name, operation, [.. inputs], [name]));
            return name;
        }

        private static string Letters(ImmutableArray<ImmutableArray<int>> axes) =>
            string.Concat(axes.Select(static axis => (char)(axis[0] < 26 ? 'a' + axis[0] : 'A' + axis[0] - 26)));
    }
}
