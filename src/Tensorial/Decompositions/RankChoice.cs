using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Decompositions;

/// <summary>How the ranks of a factorization come about.</summary>
public abstract record RankChoice
{
    private RankChoice() { }

    /// <summary>These ranks, one for every bond of the format.</summary>
    public sealed record Given(ImmutableArray<int> Ranks) : RankChoice
    {
        /// <inheritdoc/>
        public bool Equals(Given? other) => other is not null && Ranks.SequenceEqual(other.Ranks);

        /// <inheritdoc/>
        public override int GetHashCode() => Ranks.Aggregate(0, HashCode.Combine);

        /// <inheritdoc/>
        public override string ToString() => $"ranks {string.Join('×', Ranks)}";
    }

    /// <summary>The smallest ranks found whose relative error ‖X - X̃‖ / ‖X‖ is at most this.</summary>
    public sealed record WithinError(double Error) : RankChoice
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"relative error {Error:G4}");
    }

    /// <summary>The largest ranks whose factors hold at most this part of the tensor's parameters.</summary>
    public sealed record AtRate(double Rate) : RankChoice
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"rate {Rate:G4}");
    }

    /// <summary>
    /// The ranks that the tensor itself shows above noise (<see cref="Evbmf"/>): the rank of every cut; for CP and rings, which are no
    /// cuts, the smallest rank that leaves no more than the noise.
    /// </summary>
    public sealed record ByData : RankChoice
    {
        /// <inheritdoc/>
        public override string ToString() => "variational Bayes";
    }

    /// <inheritdoc cref="Given"/>
    public static RankChoice From(params ReadOnlySpan<int> ranks) => new Given([.. ranks]);

    /// <summary>Refuses what no tensor can fulfil.</summary>
    /// <exception cref="BadInputException">Ranks below 1 or above what the format can use, an error or a rate out of range.</exception>
    internal void Check(TensorFormat format, Shape tensor)
    {
        switch (this)
        {
            case Given(var ranks):
                format.FactorShapes(tensor, ranks.AsSpan());
                ImmutableArray<int> most = format.MaxRanks(tensor);
                if (ranks.Where((rank, bond) => rank < 1 || rank > most[bond]).Any())
                    throw new BadInputException(
                        $"{format} of a tensor {tensor} takes ranks of 1 to {string.Join('×', most)}, not {string.Join('×', ranks)}."
                    );
                break;
            case WithinError(var error) when !(error is >= 0 and < 1):
                throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"A relative error is 0 to below 1, not {error}."));
            case AtRate(var rate) when !(rate is > 0 and <= 1):
                throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"A rate is above 0 and at most 1, not {rate}."));
        }
    }
}
