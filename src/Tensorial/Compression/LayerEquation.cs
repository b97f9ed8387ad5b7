using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// A layer in a format as one equation, its feature map being the first operand and its factors the others (arXiv 1805.10352, section 3), for
/// one image: <c>nihw,ri,srhw,os->nohw|hw</c> is a convolution in Tucker-2 form. The order in which its factors meet the map is a plan of
/// that equation. Factors are parameters: what depends on them alone is multiplied once for all images, or once a training step.
/// </summary>
internal sealed class LayerEquation
{
    private readonly CompressibleLayer _layer;
    private readonly KernelForm _form;
    private readonly ImmutableArray<int> _ranks;

    /// <param name="form">The format on the layer.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="layer">The layer, as one of its uses sees it.</param>
    public LayerEquation(KernelForm form, ImmutableArray<int> ranks, CompressibleLayer layer)
    {
        (_form, _ranks, _layer) = (form, ranks, layer);
        ImmutableArray<string> factors = form.Tensor.Equation.Inputs;
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(form.Folding.Folded, ranks.AsSpan());
        HashSet<char> letters = [.. string.Concat(factors)];
        char batch = Unused(letters, "nb"),
            depth = Unused(letters, "d"),
            down = form.Space.Height;
        ImmutableArray<WindowAxis> windows = Windows(layer);
        // Height stands for all axes of space but the last.
        bool isDeep = windows.Length > 2;
        string space = $"{(isDeep ? depth : "")}{down}{form.Space.Width}";
        string from = $"{batch}{form.InputAxes}{space}",
            to = $"{batch}{form.OutputAxes}{space}";
        Dictionary<char, int> extents = [];
        for (int k = 0; k < factors.Length; k++)
        for (int place = 0; place < factors[k].Length; place++)
            extents[factors[k][place]] = shapes[k][place];
        bool isTransposed = layer.Use.IsTransposed;
        Equation equation = new(
            [
                isTransposed ? to : from,
                .. factors.Select(axes => isDeep ? axes.Replace($"{down}", $"{depth}{down}", StringComparison.Ordinal) : axes),
            ],
            isTransposed ? from : to
        )
        {
            Windows = [.. windows.Select((window, k) => window.ToWindow(space[k]))],
        };
        int images = layer.IsDense ? layer.Use.Read.Rows : 1;
        Shape map =
        [
            images,
            .. (isTransposed ? form.OutputAxes : form.InputAxes).Select(axis => extents[axis]),
            .. windows.Select(static w => w.Input),
        ];
        Problem problem = Problem.From(
            equation,
            [map, .. factors.Select((axes, k) => isDeep ? Deep(axes, shapes[k], down, windows) : shapes[k])]
        );
        // A transposed layer is the gradient of a convolution for its map.
        Problem = isTransposed ? problem.Adjoint(0) : problem;
        Algebra = new(Problem);
    }

    public Problem Problem { get; }

    private Algebra Algebra { get; }

    /// <summary>The order that is cheapest for the layer.</summary>
    /// <param name="form">The format on the layer.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="layer">The layer; of several uses the one with the most arithmetic decides.</param>
    /// <param name="images">Images that share the products of factors, and whose gradients follow, as in training; null where products are
    /// made once for all.</param>
    public static FactorOrder Cheapest(KernelForm form, ImmutableArray<int> ranks, CompressibleLayer layer, int? images = null)
    {
        FactorOrder whole = FactorOrder.Whole(form);
        if (layer.Use.IsRecurrent)
            return new([
                [0],
                [1],
            ]);
        if (form.Tensor.Ragged is not null && ranks.Distinct().Count() > 1)
            return new([
                [0],
                [1],
            ]);
        if (form.Folding.Padded.ElementCount != form.Folding.Shape.ElementCount)
            return whole;
        LayerEquation equation = new(form, ranks, layer.At(layer.Uses.MaxBy(static use => use.Products)!));
        FactorOrder cheapest = equation.Cheapest(images);
        return layer.Uses.All(use => Stage.Of(form, ranks, cheapest, layer.At(use)) is not null) ? cheapest : whole;
    }

    /// <summary>The stages of an order with what each takes for one image.</summary>
    /// <exception cref="BadInputException">The order cannot be had there.</exception>
    public ImmutableArray<LayerStep> Steps(FactorOrder order)
    {
        ImmutableArray<Stage> stages =
            Stage.Of(_form, _ranks, order, _layer)
            ?? throw new BadInputException(
                $"'{_layer.Name}' in {_form.Format} cannot be computed in the order {order}: its channels are padded or the extents of its input free; only all factors at once can."
            );
        PlanOptions options = Options(null);
        IndexList map = Algebra.Operands[0];
        var steps = ImmutableArray.CreateBuilder<LayerStep>(stages.Length);
        foreach (Stage stage in stages)
        {
            IndexList kernel = stage.Factors.Select(factor => Algebra.Operands[factor + 1]).Aggregate(Algebra.Product),
                made = Algebra.Product(map, kernel);
            MapStep step = MapStep.From(new(Algebra, map, kernel, made), 0, options);
            // A kernel made whole is the dense layer again, padding cut off.
            double macs = order.IsWhole ? _layer.Macs : step.Macs * RaggedShare;
            steps.Add(new(stage, Expression(map, kernel, made), (long)Math.Round(macs), (step with { Macs = macs }).Seconds(options)));
            map = made;
        }
        return steps.MoveToImmutable();
    }

    /// <summary>What is left of a bond whose ranks differ by channel.</summary>
    private double RaggedShare => _form.Tensor.Ragged is null ? 1 : _ranks.Average() / _ranks.Max();

    private FactorOrder Cheapest(int? images)
    {
        PlanOptions options = Options(images);
        Tree tree = OrderSearch.Search(Algebra, Tree.Leaves(Algebra, options), options);
        List<ImmutableArray<int>> stages = [];
        while (tree.Operand != 0)
        {
            (Tree map, Tree kernel) = tree.Left!.IsParameter ? (tree.Right!, tree.Left) : (tree.Left, tree.Right!);
            stages.Insert(0, [.. Factors(kernel).Order()]);
            tree = map;
        }
        return new([.. stages]);
    }

    private PlanOptions Options(int? images) =>
        new()
        {
            Goal = images is null ? PlanGoal.Forward : PlanGoal.ForwardAndBackward,
            Parameters = ulong.MaxValue - 1,
            ParameterWeight = images is { } shared ? 1.0 / shared : PlanOptions.OnceForAll,
            MovesChannels = Stage.CanMove(_layer),
        };

    private static IEnumerable<int> Factors(Tree tree) =>
        tree.Operand >= 0 ? [tree.Operand - 1] : Factors(tree.Left!).Concat(Factors(tree.Right!));

    private string Expression(IndexList map, IndexList kernel, IndexList made) => $"{Named(map)},{Named(kernel)}->{Named(made)}";

    private string Named(IndexList term) => string.Concat(Algebra.Axes.Where((_, axis) => term.Has(axis)));

    /// <summary>The windows along all axes of space; a dense layer has two of one place, a layer along one axis one before its own.</summary>
    private static ImmutableArray<WindowAxis> Windows(CompressibleLayer layer)
    {
        WindowAxis one = new(1, 1, 1, 1, 1, 0, 0);
        if (layer.IsDense)
            return [one, one];
        Shape input = layer.Input,
            weights = [1, 1, .. layer.Taps];
        ImmutableArray<WindowAxis> windows = layer.Use.Node.Operation switch
        {
            Convolution convolution => convolution.Windows(input, weights),
            ConvolutionTranspose transposed => transposed.Windows(input, weights),
            _ => throw new InvalidOperationException($"{layer.Use.Node.Operation} has no windows."),
        };
        return windows.Length == 1 ? [one, .. windows] : windows;
    }

    /// <summary>A factor with depth and height apart.</summary>
    private static Shape Deep(string axes, Shape shape, char down, ImmutableArray<WindowAxis> windows) =>
        [.. axes.SelectMany((axis, place) => axis == down ? (int[])[windows[0].Taps, windows[1].Taps] : [shape[place]])];

    private static char Unused(HashSet<char> letters, string wanted) =>
        wanted.Concat(Enumerable.Range('A', 26).Select(static letter => (char)letter)).First(letters.Add);
}

/// <summary>A step of a factored layer.</summary>
/// <param name="Stage">The convolution that it is.</param>
/// <param name="Equation">Map, factors and result over their axes.</param>
/// <param name="Macs">Multiply-accumulates for one image.</param>
/// <param name="Seconds">How long the cost model thinks it takes on one thread.</param>
internal sealed record LayerStep(Stage Stage, string Equation, long Macs, double Seconds);
