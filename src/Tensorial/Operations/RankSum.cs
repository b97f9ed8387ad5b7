namespace Tensorial.Operations;

/// <summary>
/// Adds up sums over the ranks that share a batch, in place: every rank has the same bits afterwards. All ranks call it equally often, with
/// arrays of the same length.
/// </summary>
internal delegate void RankSum(double[] sums);
