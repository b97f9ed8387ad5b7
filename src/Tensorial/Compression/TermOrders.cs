using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>
/// Orders of the factors of a sum: the stages of the first form, then those of the second, factors counted on. Each form is a branch of its
/// own, or all together are made into one kernel.
/// </summary>
internal static class TermOrders
{
    /// <summary>The cheapest order of a form, or of each form of a sum.</summary>
    /// <inheritdoc cref="LayerEquation.Cheapest(KernelForm, ImmutableArray{int}, CompressibleLayer, int?)" path="/param"/>
    public static FactorOrder Cheapest(KernelForm form, ImmutableArray<int> ranks, CompressibleLayer layer, int? images = null)
    {
        if (form.Terms.IsEmpty)
            return LayerEquation.Cheapest(form, ranks, layer, images);
        FactorOrder[] orders = [.. form.Parted(ranks).Select(term => LayerEquation.Cheapest(term.Form, term.Ranks, layer, images))];
        // A form made whole costs what the layer does: then all of them do together.
        if (orders.Any(static order => order.IsWhole) && form.Parted(ranks).All(term => CanBeWhole(term.Form, term.Ranks, layer)))
            orders = [.. form.Terms.Select(FactorOrder.Whole)];
        int at = 0;
        var stages = ImmutableArray.CreateBuilder<ImmutableArray<int>>();
        foreach ((KernelForm term, FactorOrder order) in form.Terms.Zip(orders))
        {
            stages.AddRange(order.Stages.Select(stage => stage.Select(factor => factor + at).ToImmutableArray()));
            at += term.Tensor.Equation.Inputs.Length;
        }
        return new(stages.ToImmutable());
    }

    /// <summary>The order of each form of a sum.</summary>
    /// <exception cref="BadInputException">A factor is not named once, or a stage has factors of both.</exception>
    public static ImmutableArray<FactorOrder> Parted(KernelForm form, FactorOrder order)
    {
        if (form.Terms.IsEmpty)
        {
            order.Check(form);
            return [order];
        }
        var orders = ImmutableArray.CreateBuilder<FactorOrder>();
        int at = 0,
            taken = 0;
        foreach (KernelForm term in form.Terms)
        {
            int end = at + term.Tensor.Equation.Inputs.Length,
                first = at;
            FactorOrder own = new([
                .. order
                    .Stages.Where(stage => !stage.IsDefaultOrEmpty && stage.All(factor => factor >= first && factor < end))
                    .Select(stage => stage.Select(factor => factor - first).ToImmutableArray()),
            ]);
            own.Check(term);
            orders.Add(own);
            (at, taken) = (end, taken + own.Stages.Length);
        }
        if (taken != order.Stages.Length)
            throw new BadInputException($"An order of {form.Format} has stages with factors of one of its forms each, not {order}.");
        return orders.ToImmutable();
    }

    private static bool CanBeWhole(KernelForm form, ImmutableArray<int> ranks, CompressibleLayer layer) =>
        Stage.Of(form, ranks, FactorOrder.Whole(form), layer) is not null;
}
