using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// The weights of stages: a factor as it is where the stage has one, else nodes that multiply its factors (MatMul, or Mul where nothing is
/// summed, with moves of axes between), which runtimes compute when they load the network, as all of it is constant.
/// </summary>
internal sealed class FactorProducts(GraphWriter writer, KernelForm form, TensorFactors<double> factors, CompressibleLayer layer)
{
    private readonly ImmutableArray<string> _axes = form.Tensor.Equation.Inputs;
    private readonly Dictionary<char, int> _extents = factors
        .Factors.SelectMany((factor, k) => form.Tensor.Equation.Inputs[k].Select((axis, place) => (axis, factor.Shape[place])))
        .Distinct()
        .ToDictionary(static pair => pair.axis, static pair => pair.Item2);

    /// <summary>Extents of some axes.</summary>
    public ImmutableArray<int> Extents(string axes) => [.. axes.Select(axis => _extents[axis])];

    /// <summary>Their product.</summary>
    public int Count(string axes) => Extents(axes).Aggregate(1, static (count, extent) => count * extent);

    /// <summary>What a stage is called: its axes, made ones first.</summary>
    public string NameOf(Stage stage) => WeightAxes(stage);

    /// <summary>Whether a stage is a transposed convolution: those of a transposed layer that work along space.</summary>
    public bool IsSpread(Stage stage) => layer.Use.IsTransposed && stage.HasHeight | stage.HasWidth;

    /// <summary>Weights of a convolution: [groups · made, summed, h, w]; of a transposed one [groups · summed, made, h, w].</summary>
    public string Convolution(Stage stage)
    {
        (string first, string second) = IsSpread(stage) ? (stage.Summed, stage.Made) : (stage.Made, stage.Summed);
        return Product(
            stage.Factors,
            stage.Groups + first + second + SpaceAxes(stage),
            $"{NameOf(stage)}.weight",
            [Count(stage.Groups + first), Count(second), .. SpaceOf(stage)]
        );
    }

    /// <summary>A matrix [made, summed], or [summed, made].</summary>
    public string Matrix(Stage stage, bool transposed)
    {
        string space = SpaceAxes(stage);
        return transposed
            ? Product(stage.Factors, stage.Summed + stage.Made + space, $"{NameOf(stage)}.weight", [Count(stage.Summed), Count(stage.Made)])
            : Product(
                stage.Factors,
                stage.Made + stage.Summed + space,
                $"{NameOf(stage)}.weight",
                [Count(stage.Made), Count(stage.Summed)]
            );
    }

    /// <summary>A matrix [made, summed] in so many equal parts along its rows.</summary>
    public string Rows(Stage stage, int parts) =>
        Product(
            stage.Factors,
            stage.Made + stage.Summed + SpaceAxes(stage),
            $"{NameOf(stage)}.weight",
            [parts, Count(stage.Made) / parts, Count(stage.Summed)]
        );

    /// <summary>All factors as the weights of the layer, in the form in which its node reads them.</summary>
    public string Whole(Node node)
    {
        bool turned = node.Operation switch
        {
            ConvolutionTranspose => true,
            Operations.Gemm gemm => !gemm.TransposeB,
            MatMul => layer.Use.Operand == 1,
            _ => false,
        };
        string groups = layer.Groups > 1 ? KernelForm.Group.ToString() : "",
            outputs = form.OutputAxes[groups.Length..],
            inputs = form.InputAxes[groups.Length..],
            space = form.Tensor.Equation.Output[(form.OutputAxes.Length + inputs.Length)..];
        (int o, int i) = (form.Folding.Padded[0], form.Folding.Padded[1]);
        int[] own = turned
                ? [layer.Kernel.Shape[1] * layer.Groups, layer.Kernel.Shape[0] / layer.Groups]
                : [layer.Kernel.Shape[0], layer.Kernel.Shape[1]],
            padded = turned ? [i * layer.Groups, o / layer.Groups] : [o, i];
        int[] taps = layer.IsDense ? [] : [.. layer.Taps];
        string axes = groups + (turned ? inputs + outputs : outputs + inputs) + space;
        string value = Product([.. Enumerable.Range(0, _axes.Length)], axes, "weight", [.. padded, .. taps]);
        return own.SequenceEqual(padded)
            ? value
            : writer.Put(
                "weight/slice",
                new Slice
                {
                    Starts = [0, 0],
                    Ends = [.. own],
                    Axes = [0, 1],
                },
                value
            );
    }

    private string SpaceAxes(Stage stage) =>
        (stage.HasHeight ? form.Space.Height.ToString() : "") + (stage.HasWidth ? form.Space.Width.ToString() : "");

    /// <summary>Extents of a stage's window along all axes of space; a dense layer has two of 1.</summary>
    private int[] SpaceOf(Stage stage)
    {
        int[] taps = layer.IsDense ? [1, 1] : [.. layer.Taps];
        return [.. taps[..^1].Select(extent => stage.HasHeight ? extent : 1), stage.HasWidth ? taps[^1] : 1];
    }

    private string WeightAxes(Stage stage) => stage.Groups + stage.Made + stage.Summed + SpaceAxes(stage);

    /// <summary>
    /// The order in which factors are multiplied, two at a time, values being numbered from the factors on. The same on every machine, as files
    /// depend on it.
    /// </summary>
    private ImmutableArray<(int Left, int Right)> Pairs(ImmutableArray<int> places, string axes)
    {
        Plan plan = Plan.Create(
            new([.. places.Select(place => _axes[place])], axes),
            PlanOptions.ForGradients,
            [.. places.Select(place => factors.Factors[place].Shape)]
        );
        return [.. plan.Steps.Select(static step => (step.Left, step.Right!.Value))];
    }

    /// <summary>Some factors multiplied, with axes in an order and under some extents.</summary>
    private string Product(ImmutableArray<int> places, string axes, string name, ImmutableArray<int> extents)
    {
        if (places.Length == 1)
            return Constant(name, places[0], axes, extents);
        List<FactorProduct> terms = [.. places.Select(place => new FactorProduct(null, place, _axes[place]))];
        HashSet<int> rest = [.. Enumerable.Range(0, places.Length)];
        foreach ((int one, int other) in Pairs(places, axes))
        {
            rest.ExceptWith([one, other]);
            FactorProduct made = Multiplied(
                terms[one],
                terms[other],
                axes + string.Concat(rest.Select(k => terms[k].Axes)),
                rest.Count == 0 ? axes : null
            );
            rest.Add(terms.Count);
            terms.Add(made);
        }
        FactorProduct product = terms[^1];
        string value = product.Value!;
        if (product.Axes != axes)
            value = writer.Transposed(name, value, [.. axes.Select(axis => product.Axes.IndexOf(axis))]);
        return Extents(axes).SequenceEqual(extents) && product.IsFull ? value : writer.Reshaped(name, value, extents);
    }

    /// <summary>
    /// A[batch, left, summed] B[batch, summed, right] = C[batch, left, right]; where nothing is summed A[left, 1, batch] B[right, batch] =
    /// C[left, right, batch].
    /// </summary>
    private FactorProduct Multiplied(FactorProduct a, FactorProduct b, string needed, string? final)
    {
        string shared = string.Concat(a.Axes.Intersect(b.Axes)),
            batch = string.Concat(shared.Where(needed.Contains)),
            summed = string.Concat(shared.Except(batch));
        string left = string.Concat(a.Axes.Except(shared)),
            right = string.Concat(b.Axes.Except(shared)),
            made = summed.Length > 0 ? batch + left + right : left + right + batch;
        string what = made;
        if (summed.Length == 0)
        {
            string outer = writer.Put(
                what,
                new Mul(),
                Arranged(a, left + batch, [Count(left), 1, Count(batch)]),
                Arranged(b, right + batch, [Count(right), Count(batch)])
            );
            return new(writer.Reshaped(what, outer, Extents(made)), -1, made);
        }
        ImmutableArray<int> batches = batch.Length > 0 ? [Count(batch)] : [];
        string one = Arranged(a, batch + left + summed, [.. batches, Count(left), Count(summed)]);
        string other = Arranged(b, batch + summed + right, [.. batches, Count(summed), Count(right)]);
        string product = writer.Put(what, new MatMul(), one, other);
        // The last product is reshaped to what is wanted; others to all their axes where these still move.
        bool isReady = final == made;
        return new(isReady ? product : writer.Reshaped(what, product, Extents(made)), -1, made) { IsFull = !isReady };
    }

    private string Arranged(FactorProduct term, string axes, ImmutableArray<int> extents)
    {
        if (term.Value is null)
            return Constant(_axes[term.Factor], term.Factor, axes, extents);
        string value =
            term.Axes == axes ? term.Value : writer.Transposed(axes, term.Value, [.. axes.Select(axis => term.Axes.IndexOf(axis))]);
        return writer.Reshaped(axes, value, extents);
    }

    /// <summary>A factor with its axes in an order, in the type of the network's weights and behind a Cast where they are.</summary>
    private string Constant(string name, int factor, string axes, ImmutableArray<int> extents)
    {
        KernelWeight weight = layer.Weight;
        string constant = writer.Constant(
            name,
            (factor, axes, string.Join(' ', extents)),
            () =>
            {
                Tensor<double> values = Contraction.Evaluate<double>(
                    new Equation([_axes[factor]], axes),
                    [factors.Factors[factor]],
                    Workers.Serial
                );
                return values.To(weight.Weights.ElementType).As(Shape.From(extents.AsSpan()));
            }
        );
        return weight.ReadAs == weight.Weights.ElementType ? constant : writer.Put($"{name}/cast", new Cast(weight.ReadAs), constant);
    }

    /// <summary>A factor that is still to be stored, or a value with all its axes.</summary>
    private sealed record FactorProduct(string? Value, int Factor, string Axes)
    {
        /// <summary>Whether the value has an axis for each letter.</summary>
        public bool IsFull { get; init; } = true;
    }
}
