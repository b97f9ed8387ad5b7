using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>
/// Turns a choice into ranks while a tensor is cut at one bond after another. An error allowed in all is shared: each cut may drop its part
/// of what the cuts before it left.
/// </summary>
internal sealed class BondRanks
{
    private readonly ImmutableArray<int> _fixed = [];
    private readonly List<int> _taken = [];
    private readonly int _bonds;
    private readonly bool _byData;
    private double _allowance;

    /// <param name="choice">Ranks, an error, or what the data show.</param>
    /// <param name="bonds">Bonds of the format.</param>
    /// <param name="norm">The tensor's norm.</param>
    public BondRanks(RankChoice choice, int bonds, double norm)
    {
        _bonds = bonds;
        _fixed = choice is RankChoice.Given(var ranks) ? ranks : [];
        _byData = choice is RankChoice.ByData;
        _allowance = choice is RankChoice.WithinError(var error) ? error * error * norm * norm : 0;
    }

    /// <summary>The ranks chosen so far.</summary>
    public ImmutableArray<int> Taken => [.. _taken];

    /// <summary>The rank of the next bond.</summary>
    /// <param name="values">Singular values along its cut, descending.</param>
    /// <param name="rows">Rows of the matrix cut.</param>
    /// <param name="columns">Its columns.</param>
    public int Next(ReadOnlySpan<double> values, int rows, int columns)
    {
        int rank =
            !_fixed.IsEmpty ? Math.Min(_fixed[_taken.Count], values.Length)
            : _byData ? Math.Max(1, Evbmf.From(values, rows, columns).Rank)
            : Spend(values);
        _taken.Add(rank);
        return rank;
    }

    private int Spend(ReadOnlySpan<double> values)
    {
        double share = _allowance / (_bonds - _taken.Count),
            dropped = 0;
        int rank = values.Length;
        while (rank > 1 && dropped + values[rank - 1] * values[rank - 1] <= share)
            dropped += values[rank - 1] * values[--rank];
        _allowance -= dropped;
        return rank;
    }
}
