using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Analysis;

/// <summary>
/// A tensor decomposed along a cut, K = sum_k s_k u_k v_k^T: the source of the best tensor of every rank there (Eckart and
/// Young). One decomposition serves a whole ladder of ranks; rising ranks only add what is new.
/// </summary>
internal sealed class CutFactors
{
    private readonly string _axes;
    private readonly Cut _cut;
    private readonly Shape _shape;
    private readonly Workers _workers;
    private readonly Tensor<double> _left;
    private readonly Tensor<double> _scaledRight;
    private readonly Tensor<double> _sum;
    private int _rank;

    public CutFactors(Tensor<double> tensor, string axes, Cut cut, Workers workers)
    {
        (_axes, _cut, _shape, _workers) = (axes, cut, tensor.Shape, workers);
        Tensor<double> matrix = Matricisation.Unfold(tensor, axes, cut);
        Svd<double> svd = Svd.Thin(matrix, workers);
        _left = svd.U;
        _scaledRight = svd.Vt;
        int columns = matrix.Shape[1];
        for (int k = 0; k < svd.Values.Length; k++)
        {
            Span<double> row = _scaledRight.Values.Slice(k * columns, columns);
            for (int j = 0; j < columns; j++) row[j] *= svd.Values[k];
        }
        _sum = new(matrix.Shape);
        Spectrum = new(cut.ToString(), matrix.Shape[0], columns, [.. svd.Values]);
    }

    public CutSpectrum Spectrum { get; }

    /// <summary>The best tensor of this rank along the cut.</summary>
    public Tensor<double> Keep(int rank)
    {
        if (rank < _rank)
        {
            _sum.Values.Clear();
            _rank = 0;
        }
        if (rank > _rank)
        {
            int rows = Spectrum.Rows, columns = Spectrum.Columns, all = Spectrum.MaxRank;
            int from = _rank;
            _workers.For(rows, row =>
            {
                Span<double> sum = _sum.Values.Slice(row * columns, columns);
                for (int k = from; k < rank; k++)
                    TensorPrimitives.MultiplyAdd(_scaledRight.Values.Slice(k * columns, columns), _left.Values[row * all + k], sum, sum);
            });
            _rank = rank;
        }
        return Matricisation.Fold(_sum, _shape, _axes, _cut);
    }
}
