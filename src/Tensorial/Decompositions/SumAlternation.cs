using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>
/// A kernel as a sum of two forms by turns: the first to what the second leaves of it, the second to what the first leaves, running ahead as
/// <see cref="ExtrapolatedAlternation{T}"/> does; plain turns crawl where the forms can say the same.
/// </summary>
internal sealed class SumAlternation : ExtrapolatedAlternation<double>
{
    private readonly KernelStarts _starts;
    private readonly ImmutableArray<(KernelForm Form, ImmutableArray<int> Ranks)> _terms;
    private readonly FitOptions _turn;
    private readonly CancellationToken _cancel;
    private readonly double _energy;
    private readonly TensorFactors<double>[] _last;
    private double _least = double.PositiveInfinity;

    private SumAlternation(
        KernelStarts starts,
        ImmutableArray<(KernelForm Form, ImmutableArray<int> Ranks)> terms,
        TensorFactors<double>[] fits,
        FitOptions turn,
        CancellationToken cancel
    )
        : base([.. fits.Select(static fit => fit.Reconstruct())])
    {
        (_starts, _terms, _turn, _cancel, _energy, _last) = (starts, terms, turn, cancel, starts.Energy, fits);
        Keep([.. fits.Select(static fit => fit.Reconstruct())]);
    }

    /// <summary>The fits of the least error so far.</summary>
    public ImmutableArray<TensorFactors<double>> Fits { get; private set; } = [];

    /// <summary>From one plain turn of each form.</summary>
    /// <param name="starts">The kernel, and the measure.</param>
    /// <param name="terms">Both forms and their ranks.</param>
    /// <param name="known">Fits to begin with; empty for none.</param>
    /// <param name="turn">How hard a form is fitted in one turn.</param>
    /// <param name="cancel">Ends it.</param>
    public static SumAlternation From(
        KernelStarts starts,
        ImmutableArray<(KernelForm Form, ImmutableArray<int> Ranks)> terms,
        ImmutableArray<TensorFactors<double>> known,
        FitOptions turn,
        CancellationToken cancel
    )
    {
        if (!known.IsEmpty)
            return new(starts, terms, [.. known], turn, cancel);
        TensorFactors<double> first = KernelFactorization.Fit(starts, terms[0].Form, terms[0].Ranks, turn, cancel),
            second = KernelFactorization.Fit(starts.Without(first.Reconstruct()), terms[1].Form, terms[1].Ranks, turn, cancel);
        return new(starts, terms, [first, second], turn, cancel);
    }

    /// <inheritdoc/>
    protected override double Sweep(Tensor<double>[] factors, Action<int, Tensor<double>> update)
    {
        Tensor<double>[] made = new Tensor<double>[_terms.Length];
        for (int k = 0; k < _terms.Length; k++)
        {
            _last[k] = KernelFactorization.Refined(_last[k], _starts.Without(factors[1 - k]), _terms[k].Form, _turn, _cancel);
            made[k] = _last[k].Reconstruct();
            update(k, made[k]);
        }
        return Keep(made);
    }

    /// <inheritdoc/>
    protected override void Restart(Tensor<double>[] factors) => Fits.CopyTo(_last);

    /// <summary>The squared relative error, of the fits themselves and not of what runs ahead of them.</summary>
    private double Keep(Tensor<double>[] made)
    {
        double error = _energy > 0 ? _starts.Metric.Square(_starts.Without(made[0]).Without(made[1]).Kernel) / _energy : 0;
        if (error < _least)
            (_least, Fits) = (error, [.. _last]);
        return error;
    }
}
