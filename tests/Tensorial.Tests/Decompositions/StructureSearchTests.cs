using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Decompositions.Trees;
using Tensorial.Equations;

namespace Tensorial.Tests.Decompositions;

/// <summary>Which form is found for a kernel.</summary>
public class StructureSearchTests
{
    /// <summary>What a kernel was made as, with a little noise, is what comes nearest to it within as many parameters.</summary>
    [Theory]
    [
        InlineData("decoupled-in"),
        InlineData("decoupled-out"),
        InlineData("rih,orw->oihw"),
        InlineData("basis"),
        InlineData("tucker2"),
        InlineData("cp3")
    ]
    public void Known_structures_with_noise_are_found_again(string name)
    {
        int seeds = Oracles.Heavy ? 100 : 8,
            found = 0;
        for (int seed = 0; seed < seeds; seed++)
        {
            Random random = new(seed);
            Shape shape = [12, 10, 3, 3];
            KernelForm form = KernelForm.From(KernelFormat.Parse(name), shape);
            ImmutableArray<int> ranks = form.Format.HasRankByChannel
                ? [.. Enumerable.Range(0, shape["oi".IndexOf(form.Tensor.Ragged!.Value.Along)]).Select(_ => random.Next(0, 4))]
                : [.. form.MaxRanks.Select(most => Math.Min(most, random.Next(2, 4)))];
            if (ranks.All(static rank => rank == 0))
                ranks = ranks.SetItem(0, 1);
            Tensor<double> kernel = InitialFactors.Draw(form, ranks, 1, random).Reconstruct().Clone(),
                noise = Fits.Normal<double>(shape, random);
            double scale = 0.03 * Some.Norm(kernel) / Some.Norm(noise);
            for (int k = 0; k < shape.ElementCount; k++)
                kernel.Values[k] += scale * noise.Values[k];
            double rate = (form.Parameters(ranks.AsSpan()) + 0.5) / shape.ElementCount;
            FoundStructure best = StructureSearch
                .Of(new(kernel, KernelMetric.Plain), rate)
                .Where(static f => f.Pays)
                .MinBy(static f => f.Error)!;
            if (best.Form.Format == form.Format)
                found++;
        }
        Assert.True(found >= 0.95 * seeds, $"{found} of {seeds} were found");
    }

    /// <summary>In the plain norm channels are matrices: what is predicted of decoupled forms is what a fit gives.</summary>
    [Theory]
    [InlineData("decoupled-in"), InlineData("decoupled-out")]
    public void Bounds_of_decoupled_forms_are_exact(string name)
    {
        KernelStarts starts = new(Some.Noise([8, 6, 3, 3], 3), KernelMetric.Plain);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), [8, 6, 3, 3]);
        ImmutableArray<int> ranks = form.RanksAt(starts, 0.4);
        Assert.Equal(KernelFactorization.Fit(starts, form, ranks).RelativeError, DecoupledFit.BoundOf(starts, form.Format, ranks), 1e-9);
    }

    /// <summary>A tree that has a name is called by it, with the ranks in the name's order; others by their equation.</summary>
    [Theory]
    [InlineData("svd-out"), InlineData("svd-in"), InlineData("spatial-svd"), InlineData("tucker2"), InlineData("tucker"), InlineData("tt")]
    [InlineData("ht"), InlineData("basis"), InlineData("rih,orw->oihw"), InlineData("ri,srw,osh->oihw"), InlineData("ri,srhw,os->oihw")]
    public void Trees_are_called_by_their_name(string name)
    {
        KernelFormat format = KernelFormat.Parse(name);
        Shape shape = [9, 8, 3, 4];
        KernelForm form = KernelForm.From(format, shape);
        ImmutableArray<int> ranks = [.. form.MaxRanks.Select(static (most, bond) => Math.Min(most, 2 + bond % 2))];
        TreeNetwork tree = new(shape, format.Cuts.Zip(ranks, static (rows, rank) => new TreeBond(SideOf(rows), rank)));

        (KernelFormat named, ImmutableArray<int> own) = TreeFormats.Of(tree);

        // An equation that a name stands for has that name.
        Assert.Equal(name == "ri,srhw,os->oihw" ? "tucker2" : name, named.ToString());
        Assert.Equal<int>(ranks, own);
        Assert.Equal(form.Parameters(ranks.AsSpan()), tree.Parameters);

        // The factors of the equation, by the tree's pass of decompositions and by the projection: both within the bound.
        Tensor<double> kernel = Some.Noise(shape, 9);
        double bound = tree.BoundFrom(CutSpectra.From(kernel));
        Assert.InRange(TreeFit.Of(kernel, tree, "oihw", name).RelativeError, 0, bound + 1e-9);
        Assert.InRange(KernelFactorization.Fit(kernel, named, own).RelativeError, 0, bound + 1e-9);
    }

    /// <summary>Multiply-accumulates of a tree are those of its cheapest sensible order, counted node by node of the written layer.</summary>
    [Theory]
    [InlineData(1), InlineData(2)]
    public void The_best_tree_in_multiply_accumulates_is_that_of_all_trees(int stride)
    {
        Tensor<double> kernel = Trees.TreeSearchTests.Decaying([4, 3, 2, 3], 3);
        CutSpectra spectra = CutSpectra.From(kernel);
        (int Rows, int Columns) read = (6, 8),
            written = (6 / stride, 8 / stride);
        TreeMacs prices = TreeMacs.From(spectra, read, written, spreads: false);
        List<(double Loss, double Cost)> all = [];
        foreach (TreeNetwork tree in All(spectra))
        {
            double macs = MacsOf(tree, read, written);
            Assert.Equal(macs, prices.CostOf(tree), 1e-6);
            all.Add((tree.Bonds.Sum(bond => spectra.Tails[bond.Cut][bond.Rank]), macs));
        }
        foreach (double price in Enumerable.Range(-18, 16).Select(static power => Math.Pow(2, power)))
        {
            TreeNetwork found = prices.Best(price);
            double wanted = all.Min(tree => tree.Loss + price * tree.Cost);
            double loss = found.Bonds.Sum(bond => spectra.Tails[bond.Cut][bond.Rank]);
            Assert.Equal(wanted, loss + price * prices.CostOf(found), 1e-9 * wanted);
        }
    }

    /// <summary>
    /// The least over all orders of stages that the written form could have: stages with the extents and places of a convolution chain, each
    /// stage's products counted from the axes that are open.
    /// </summary>
    private static double MacsOf(TreeNetwork tree, (int Rows, int Columns) read, (int Rows, int Columns) written)
    {
        (Equation equation, ImmutableArray<int> ranks) = tree.Written("oihw");
        if (equation.Inputs.Length == 1)
            return tree.Extents.ElementCount * (double)written.Rows * written.Columns;
        string bonds = new([.. string.Concat(equation.Inputs).Distinct().Where(static axis => !"oihw".Contains(axis)).Order()]);
        double Extent(char axis) => "oihw".Contains(axis) ? tree.Extents["oihw".IndexOf(axis)] : ranks[bonds.IndexOf(axis)];
        double least = double.PositiveInfinity;
        foreach (ImmutableArray<ImmutableArray<int>> order in TreeOrders.Of(equation.Inputs))
        {
            double macs = 0;
            string open = "i";
            (int rows, int columns) = read;
            for (int stage = 0; stage < order.Length; stage++)
            {
                string own = string.Concat(order[stage].SelectMany(factor => equation.Inputs[factor]).Distinct()),
                    later =
                        "o" + string.Concat(order.Skip(stage + 1).SelectMany(static s => s).SelectMany(factor => equation.Inputs[factor]));
                (rows, columns) = (own.Contains('h') ? written.Rows : rows, own.Contains('w') ? written.Columns : columns);
                // Bonds within the stage are summed when the kernel is made.
                string used = string.Concat(own.Where(axis => open.Contains(axis) || later.Contains(axis) || "hw".Contains(axis))),
                    touched = string.Concat(open.Union(used));
                macs += touched.Aggregate(1.0, (product, axis) => product * Extent(axis)) * rows * columns;
                open = string.Concat(touched.Where(axis => later.Contains(axis) && !"hw".Contains(axis)));
            }
            least = Math.Min(least, macs);
        }
        return least;
    }

    private static IEnumerable<TreeNetwork> All(CutSpectra spectra)
    {
        for (int set = 0; set < 1 << spectra.All; set++)
        {
            int[] cuts = [.. Enumerable.Range(1, spectra.All).Where(cut => (set >> (cut - 1) & 1) != 0)];
            if (!cuts.All(a => cuts.All(b => (a & b) == 0 || (a & b) == a || (a & b) == b)))
                continue;
            IEnumerable<ImmutableArray<TreeBond>> bonds =
            [
                [],
            ];
            foreach (int cut in cuts)
                bonds = [.. bonds.SelectMany(_ => Enumerable.Range(1, spectra.MaxRank(cut)), (own, rank) => own.Add(new(cut, rank)))];
            foreach (ImmutableArray<TreeBond> own in bonds)
                yield return new(spectra.Extents, own);
        }
    }

    private static int SideOf(string rows)
    {
        int side = rows.Where(static axis => axis != 'o').Sum(static axis => 1 << "ihw".IndexOf(axis));
        return rows.Contains('o') ? 7 - side : side;
    }
}
