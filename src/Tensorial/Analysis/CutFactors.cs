using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Analysis;

/// <summary>
/// A tensor decomposed along a cut, K = sum_k s_k u_k v_k^T: the source of the best tensor of every rank there (Eckart and
/// Young). One decomposition serves a whole ladder of ranks. Every rank is summed from the start: adding to the rank before
/// would save little and make the last bit depend on which ranks were asked for, so that a resumed sweep would differ.
/// </summary>
internal sealed class CutFactors
{
    private readonly string _axes;
    private readonly Cut _cut;
    private readonly Shape _shape;
    private readonly Workers _workers;
    private readonly Tensor<double> _left;
    private readonly Tensor<double> _scaledRight;

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
            for (int j = 0; j < columns; j++)
                row[j] *= svd.Values[k];
        }
        Spectrum = new(cut.ToString(), matrix.Shape[0], columns, [.. svd.Values]);
    }

    public CutSpectrum Spectrum { get; }

    /// <summary>The best tensor of this rank along the cut.</summary>
    public Tensor<double> Keep(int rank)
    {
        int rows = Spectrum.Rows,
            columns = Spectrum.Columns;
        Tensor<double> sum = new([rows, columns]);
        MatrixProduct.Multiply(
            rows,
            columns,
            rank,
            1.0,
            _left.Values,
            Spectrum.MaxRank,
            1,
            _scaledRight.Values,
            columns,
            1,
            0.0,
            sum.Values,
            columns,
            _workers
        );
        return Matricisation.Fold(sum, _shape, _axes, _cut);
    }
}
