using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>How one layer is written as factors.</summary>
/// <param name="Form">The format on its kernel.</param>
/// <param name="Ranks">The ranks.</param>
/// <param name="Order">The order in which the factors meet the input.</param>
internal sealed record LayerForm(KernelForm Form, ImmutableArray<int> Ranks, FactorOrder Order)
{
    /// <summary>The format.</summary>
    public KernelFormat Format => Form.Format;

    /// <summary>Numbers that the factors hold.</summary>
    public long Parameters { get; } = Form.Parameters(Ranks.AsSpan());

    /// <summary>Whether a search found it for the kernel (<see cref="KernelFormat.Search"/>), rather than someone asked for it.</summary>
    public bool IsFound { get; init; }

    /// <summary>Whether forms add up to it.</summary>
    public bool IsSum => !Form.Terms.IsEmpty;

    /// <summary>The forms that add up to it; itself where there is one.</summary>
    public ImmutableArray<LayerForm> Terms =>
        IsSum
            ?
            [
                .. Form.Parted(Ranks)
                    .Zip(TermOrders.Parted(Form, Order), static (term, order) => new LayerForm(term.Form, term.Ranks, order)),
            ]
            : [this];

    /// <summary>Whether the kernel is made again, and the layer itself left as it was.</summary>
    public bool IsWhole => IsSum ? Terms.All(static term => term.Order.IsWhole) : Order.IsWhole;

    /// <summary>A form of a layer, in its cheapest order.</summary>
    /// <exception cref="BadInputException">The format or the ranks do not fit the layer.</exception>
    public static LayerForm From(CompressibleLayer layer, KernelFormat format, ImmutableArray<int> ranks)
    {
        KernelForm form = layer.FormOf(format);
        form.Check(ranks.AsSpan());
        return new(form, ranks, TermOrders.Cheapest(form, ranks, layer));
    }

    /// <summary>Multiply-accumulates for one image; making factors into a kernel does not count, as it is done once.</summary>
    public long MacsOf(CompressibleLayer layer) =>
        IsSum && IsWhole ? layer.Macs : layer.Uses.Sum(use => Steps(layer.At(use)).Sum(static step => step.Macs));

    /// <summary>The steps of the layer's plan at its only or first use; of a sum those of one form after the other.</summary>
    /// <exception cref="BadInputException">The order cannot be had there.</exception>
    public ImmutableArray<LayerStep> Steps(CompressibleLayer layer) =>
        [.. Terms.SelectMany(term => new LayerEquation(term.Form, term.Ranks, layer).Steps(term.Order))];

    /// <inheritdoc/>
    public bool Equals(LayerForm? other) =>
        other is not null && Form == other.Form && IsFound == other.IsFound && Ranks.SequenceEqual(other.Ranks) && Order == other.Order;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Form.Format, Order, Ranks.Aggregate(0, HashCode.Combine));

    /// <summary>
    /// Ranks as people read them: <c>12×9</c>; where they differ by channel how many channels have which, <c>3:4 2:20 1:40</c>; of a sum those of
    /// both forms, joined by a plus.
    /// </summary>
    public static string Text(KernelFormat format, ImmutableArray<int> ranks)
    {
        if (format.Terms.IsEmpty)
            return TextOfOne(format, ranks);
        // Of one form the number of ranks follows from that of the other; of two with ranks by channel it does not.
        int?[] known = [.. format.Terms.Select(static term => term.BondCount)];
        int first =
            known[0]
            ?? (
                known[1] is { } other ? ranks.Length - other
                : ranks.Length == 2 ? 1
                : 0
            );
        return first == 0
            ? Histogram(ranks)
            : $"{TextOfOne(format.Terms[0], ranks[..first])} + {TextOfOne(format.Terms[1], ranks[first..])}";
    }

    private static string TextOfOne(KernelFormat format, ImmutableArray<int> ranks) =>
        !format.HasRankByChannel || ranks.Length == 1 ? string.Join('×', ranks) : Histogram(ranks);

    private static string Histogram(ImmutableArray<int> ranks) =>
        string.Join(
            ' ',
            ranks.GroupBy(static rank => rank).OrderByDescending(static alike => alike.Key).Select(static r => $"{r.Key}:{r.Count()}")
        );

    /// <summary>For example <c>tucker2 12×9</c>.</summary>
    public override string ToString() => $"{Format} {string.Join('×', Ranks)}";
}
