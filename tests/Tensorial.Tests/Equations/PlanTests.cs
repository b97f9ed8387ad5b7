using FsCheck.Fluent;
using Tensorial.Equations;

namespace Tensorial.Tests.Equations;

public class PlanTests
{
    /// <summary>A convolution of several operands is one relation: whichever pair comes first, the result is the same.</summary>
    [Fact]
    public void Every_order_gives_the_same_result() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed, 3, 4);
                    Tensor<double>[] operands = made.WholeOperands(seed);
                    Problem problem = Problem.From(made.Equation, made.Shapes);
                    Tensor<double> expected = Plan.Create(made.Equation, null, made.Shapes).Run<double>(operands);
                    int orders = OrdersOf(problem.Inputs.Length);
                    for (int order = 0; order < orders; order++)
                    {
                        Plan plan = new(
                            problem,
                            PlanOptions.Default,
                            (algebra, leaves, options) => AllTrees(algebra, leaves.ToArray(), options).ElementAt(order)
                        );
                        Assert.True(expected.Values.SequenceEqual(plan.Run<double>(operands).Values), $"{made}, order {order}");
                    }
                }
            )
            .Holds();

    [Fact]
    public void The_exact_search_finds_the_least_of_all_orders()
    {
        int searched = 0;
        Prop.ForAll(
                RandomEquation.Seeds,
                seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed, 2, 5);
                    PlanOptions options = new() { Goal = seed % 2 == 0 ? PlanGoal.Forward : PlanGoal.ForwardAndBackward };
                    Algebra algebra = new(Problem.From(made.Equation, made.Shapes));
                    Tree[] leaves =
                    [
                        .. algebra.Operands.Select((operand, i) => Tree.From(algebra.Summed(operand), i, PlanOptions.Default)),
                    ];
                    if (leaves.Length > 5)
                        return;
                    searched++;
                    Tree[] all = [.. AllTrees(algebra, leaves, options)];
                    Assert.Equal(all.Min(static tree => tree.Cost), ExactSearch.Search(algebra, leaves, options)!.Cost, 1e-12);

                    // Under a limit too, and there is no tree where no order keeps it.
                    double[] peaks = [.. all.Select(static tree => tree.Peak).Distinct().Order()];
                    foreach (double limit in peaks.Append(peaks[0] - 1))
                    {
                        Tree? best = ExactSearch.Search(algebra, leaves, options with { MemoryLimit = (long)limit });
                        Assert.Equal(
                            all.Where(tree => tree.Peak <= limit).Min(static tree => (double?)tree.Cost) ?? -1,
                            best?.Cost ?? -1,
                            1e-12
                        );
                    }
                }
            )
            .Holds();
        // Most equations have no more.
        Assert.True(searched >= 50, $"{searched} equations were searched");
    }

    [Fact]
    public void The_peak_is_what_the_steps_keep_alive() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed, 2, 5);
                    Plan plan = Plan.Create(made.Equation, null, made.Shapes);
                    Algebra algebra = new(Problem.From(made.Equation, made.Shapes));
                    Tree[] leaves =
                    [
                        .. algebra.Operands.Select((operand, i) => Tree.From(algebra.Summed(operand), i, PlanOptions.Default)),
                    ];
                    if (leaves.Zip(algebra.Operands, static (leaf, operand) => leaf.Term == operand).All(static same => same))
                        Assert.Equal(ExactSearch.Search(algebra, leaves, PlanOptions.Default)!.Peak, plan.PeakElements);
                    Assert.True(plan.PeakElements >= plan.Steps.Max(static step => (long)step.Shape.ElementCount));
                }
            )
            .Holds();

    [Fact]
    public void The_greedy_search_is_rarely_far_from_the_best_and_the_same_for_the_same_seed()
    {
        string text = "ab,bcd,ce,dfg,eh,fi,gj,hk,ijk,kl,lm,ma->";
        Equation equation = Equation.Parse(text);
        Shape[] shapes = [.. equation.Inputs.Select(static axes => Shape.From([.. axes.Select(static axis => 3 + axis % 5)]))];
        Plan exact = Plan.Create(equation, null, shapes),
            greedy = Plan.Create(equation, new() { Search = PlanSearch.Greedy, Seed = 1 }, shapes);
        Plan again = new(greedy.Problem, greedy.Options),
            naive = Plan.Create(equation, new() { Search = PlanSearch.LeftToRight }, shapes);
        Assert.InRange(greedy.Seconds, exact.Seconds * 0.999, 1.2 * exact.Seconds);
        Assert.True(exact.Macs < naive.Macs);
        Assert.Equal(greedy.Steps.Select(static step => step.ToString()), again.Steps.Select(static step => step.ToString()));
    }

    [Fact]
    public void A_chain_of_many_operands_is_planned()
    {
        string text = string.Join(',', Enumerable.Range(0, 40).Select(static i => $"a{i}a{i + 1}")) + "->a0a40";
        Shape[] shapes = [.. Enumerable.Range(0, 40).Select(static i => Shape.From(2 + i % 3, 2 + (i + 1) % 3))];
        Plan plan = Plan.Create(Equation.Parse(text), null, shapes);
        Assert.Equal(39, plan.Steps.Length);
        Assert.Equal<int>([2, 3], plan.Result);
    }

    [Fact]
    public void Steps_say_what_they_do()
    {
        Plan plan = Plan.Create(Equation.Parse("nix,oix,po->npx|x"), null, [8, 16, 1000], [4, 16, 3], [64, 4]);
        Assert.Equal(["nix,oix->nox|x", "nox,po->npx"], plan.Steps.Select(static step => step.Expression));
        Assert.Equal([8 * 4 * 1000 * 16 * 3L, 8 * 64 * 1000 * 4L], plan.Steps.Select(static step => step.Macs));
        Assert.Equal<int>([8, 64, 1000], plan.Steps[1].Shape);
        Assert.Equal(8 * 68 * 1000, plan.PeakElements);
        Assert.Equal((3, 2), (plan.Steps[1].Left, plan.Steps[1].Right));
        Assert.Same(plan, Plan.Create(Equation.Parse("n i x, o i x, p o -> n p x | x"), null, [8, 16, 1000], [4, 16, 3], [64, 4]));
    }

    [Theory]
    [InlineData("ab,bc->ac", "8x64,64x8", 0)]
    // One image of 4 channels with its padding, 10×18×18 each.
    [InlineData("nithw,oithw->nothw|thw", "2x4x8x16x16,4x4x3x3x3", 4 * 10 * 18 * 18)]
    // One image in blocks of 16 channels, with its halo and without, and the kernel twice.
    [InlineData("brhw,rhw->brhw|hw", "8x26x32x32,26x3x3", 32 * (34 * 34 + 32 * 32) + 2 * 26 * 9)]
    public void Steps_say_what_they_lay_out_anew(string text, string shapes, long scratch)
    {
        Shape[] extents = [.. shapes.Split(',').Select(static shape => Shape.From([.. shape.Split('x').Select(int.Parse)]))];
        Assert.Equal(scratch, Plan.Create(Equation.Parse(text), null, extents).Scratch);
    }

    [Fact]
    public void A_memory_limit_is_kept_or_refused_with_what_would_do()
    {
        Equation equation = Equation.Parse("ab,bc,cd->ad");
        Shape[] shapes =
        [
            [2, 30],
            [30, 2],
            [2, 30],
        ];
        Assert.Equal(64, Plan.Create(equation, null, shapes).PeakElements);
        GoalNotMetException error = Assert.Throws<GoalNotMetException>(() => Plan.Create(equation, new() { MemoryLimit = 63 }, shapes));
        Assert.Contains("at most 63 values alive at once; the least found is 64", error.Message);
    }

    private static int OrdersOf(int operands) => operands <= 2 ? 1 : (2 * operands - 3) * OrdersOf(operands - 1);

    /// <summary>Every binary tree over the leaves.</summary>
    private static IEnumerable<Tree> AllTrees(Algebra algebra, Tree[] leaves, PlanOptions options)
    {
        if (leaves.Length == 1)
            return leaves;
        IEnumerable<Tree> joined =
            from half in Enumerable.Range(0, (1 << (leaves.Length - 1)) - 1)
            let left = leaves.Where((_, i) => i == 0 || (half >> (i - 1) & 1) == 1).ToArray()
            from a in AllTrees(algebra, left, options)
            from b in AllTrees(algebra, [.. leaves.Except(left)], options)
            select Tree.From(algebra, a, b, options);
        return joined;
    }
}
