using System.Collections.Immutable;

namespace Tensorial.Training.Schedules;

/// <summary>How the learning rate changes: a factor for every moment of training, 0 at its beginning and 1 at its end.</summary>
public abstract record Schedule
{
    /// <summary>What the base learning rate is multiplied with.</summary>
    /// <param name="progress">The part of the training that is done, 0 to 1.</param>
    public abstract double Factor(double progress);
}

/// <summary>The same rate throughout.</summary>
public sealed record ConstantRate : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => 1;
}

/// <summary>Times <paramref name="Gamma"/> at each of some moments.</summary>
public sealed record StepDecay(ImmutableArray<double> Moments, double Gamma = 0.1) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => Math.Pow(Gamma, Moments.Count(moment => progress >= moment));

    /// <inheritdoc/>
    public bool Equals(StepDecay? other) => other is not null && Gamma == other.Gamma && Moments.SequenceEqual(other.Moments);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Gamma, Moments.Length);
}

/// <summary>Down to <paramref name="Floor"/> along half a cosine (Loshchilov and Hutter 2017).</summary>
public sealed record Cosine(double Floor = 0) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => Floor + (1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * progress));
}

/// <summary>
/// Up from 1 / <paramref name="Start"/> within a part of the training, then down to 1 / (Start · End), both along cosines (Smith and Topin
/// 2019).
/// </summary>
public sealed record OneCycle(double Rise = 0.3, double Start = 25, double End = 1e4) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) =>
        progress < Rise ? Between(1 / Start, 1, progress / Rise) : Between(1, 1 / (Start * End), (progress - Rise) / (1 - Rise));

    private static double Between(double from, double to, double part) => to + (from - to) * 0.5 * (1 + Math.Cos(Math.PI * part));
}

/// <summary>Straight up from 0 within the first <paramref name="Part"/> of the training, times what another schedule says.</summary>
public sealed record WarmUp(double Part, Schedule Then) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => Then.Factor(progress) * (Part > 0 ? Math.Min(1, progress / Part) : 1);
}
