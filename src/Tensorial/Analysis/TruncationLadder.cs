using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>
/// A kernel at one cut, ready to be truncated there to any rank: all ranks share one decomposition, made when the first is asked for.
/// </summary>
internal sealed class TruncationLadder(Kernel kernel, Cut cut, Workers workers)
{
    private CutFactors? _factors;

    /// <summary>The kernel truncated to this rank, or to the maximal rank where that is smaller.</summary>
    /// <exception cref="BadInputException">The cut does not divide the kernel's axes.</exception>
    public Truncation At(int rank)
    {
        Truncation.Check(kernel, cut);
        _factors ??= new(kernel.Values, kernel.Axes, cut, workers);
        int kept = Math.Min(rank, _factors.Spectrum.MaxRank);
        return Truncation.From(kernel, [cut], [kept], kept < _factors.Spectrum.MaxRank ? _factors.Keep(kept) : kernel.Values, workers);
    }
}
