using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// The products that CP fits consist of, M = X₍ₖ₎ (Khatri–Rao product of the other modes' factors), for all modes in turn. The modes are
/// halved again and again (a dimension tree: A.-H. Phan, P. Tichavský, A. Cichocki, IEEE Trans. Signal Process. 61, 2013), so that a sweep
/// multiplies by the tensor twice, not once a mode.
/// </summary>
internal sealed class CpTree<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Values below which a loop is not worth sharing out.</summary>
    private const int Piece = 1 << 16;

    private readonly Tensor<T> _tensor;
    private readonly int _rank,
        _split;
    private readonly Workers _workers;

    /// <summary>What a sweep makes on its way, of one size in every sweep: Khatri–Rao products and sums by the modes they are of.</summary>
    private readonly Dictionary<(int First, int End), Tensor<T>> _products = [],
        _sums = [];

    public CpTree(Tensor<T> tensor, int rank, Workers workers)
    {
        (_tensor, _rank, _workers) = (tensor, rank, workers);
        // Halves as equal as they come make the Khatri–Rao products and what is left of the tensor smallest.
        _split = Enumerable
            .Range(1, Math.Max(1, tensor.Shape.Rank - 1))
            .MinBy(split => (long)tensor.Shape.ElementCountOf(0, split) + tensor.Shape.ElementCountOf(split, tensor.Shape.Rank));
    }

    /// <summary>Calls for every mode in order with its M [n, R], made from the factors as they are at that moment.</summary>
    /// <param name="factors">[n, R] for every mode; the visitor may change that of its mode.</param>
    /// <param name="visit">Gets the mode and M, which it may overwrite.</param>
    public void Sweep(Tensor<T>[] factors, Action<int, Tensor<T>> visit)
    {
        int order = factors.Length,
            rows = _tensor.Shape.ElementCountOf(0, _split),
            columns = _tensor.Shape.ElementCountOf(_split, order);
        Tensor<T> left = Kept(_sums, 0, _split, rows),
            right = Kept(_sums, _split, order, columns);
        MatrixProduct.Multiply<T>(
            rows,
            _rank,
            columns,
            T.One,
            _tensor.Values,
            columns,
            1,
            KhatriRao(factors, _split, order).Values,
            _rank,
            1,
            T.Zero,
            left.Values,
            _rank,
            _workers
        );
        Visit(left, 0, _split, factors, visit);
        MatrixProduct.Multiply<T>(
            columns,
            _rank,
            rows,
            T.One,
            _tensor.Values,
            1,
            columns,
            KhatriRao(factors, 0, _split).Values,
            _rank,
            1,
            T.Zero,
            right.Values,
            _rank,
            _workers
        );
        Visit(right, _split, order, factors, visit);
    }

    /// <summary>From the tensor contracted with all modes but [first, end), one column a term, to M of each of these.</summary>
    private void Visit(Tensor<T> part, int first, int end, Tensor<T>[] factors, Action<int, Tensor<T>> visit)
    {
        if (end - first == 1)
        {
            visit(first, part);
            return;
        }
        int middle = (first + end) / 2,
            rows = _tensor.Shape.ElementCountOf(first, middle),
            columns = _tensor.Shape.ElementCountOf(middle, end);
        Tensor<T> sumRight = Kept(_sums, first, middle, rows),
            sumLeft = Kept(_sums, middle, end, columns);
        Sum(part, rows, columns, columns, 1, KhatriRao(factors, middle, end), sumRight);
        Visit(sumRight, first, middle, factors, visit);
        Sum(part, columns, rows, 1, columns, KhatriRao(factors, first, middle), sumLeft);
        Visit(sumLeft, middle, end, factors, visit);
    }

    /// <summary>Y[a, r] = Σ_b P[a · stepA + b · stepB, r] F[b, r], for a below <paramref name="rows"/>, b below <paramref name="terms"/>.</summary>
    private void Sum(Tensor<T> part, int rows, int terms, int stepA, int stepB, Tensor<T> factor, Tensor<T> result)
    {
        int rank = _rank;
        Workers workers = (long)rows * terms * rank >= Piece ? _workers : Workers.Serial;
        workers.For(
            rows,
            a =>
            {
                Span<T> sum = result.Values.Slice(a * rank, rank);
                ReadOnlySpan<T> parts = part.Values,
                    factors = factor.Values;
                TensorPrimitives.Multiply(parts.Slice(a * stepA * rank, rank), factors[..rank], sum);
                for (int b = 1; b < terms; b++)
                    TensorPrimitives.MultiplyAdd(
                        parts.Slice((a * stepA + b * stepB) * rank, rank),
                        factors.Slice(b * rank, rank),
                        sum,
                        sum
                    );
            }
        );
    }

    /// <summary>The row-wise products of the factors of modes [first, end): [Πn, R], the last mode fastest.</summary>
    private Tensor<T> KhatriRao(Tensor<T>[] factors, int first, int end)
    {
        Tensor<T> product = factors[first];
        for (int mode = first + 1; mode < end; mode++)
        {
            (Tensor<T> slow, Tensor<T> fast) = (product, factors[mode]);
            int rows = slow.Shape[0],
                columns = fast.Shape[0];
            product = Kept(_products, first, mode, rows * columns);
            ReadOnlySpan<T> slows = slow.Values,
                fasts = fast.Values;
            Span<T> products = product.Values;
            for (int a = 0; a < rows; a++)
            for (int b = 0; b < columns; b++)
                TensorPrimitives.Multiply(
                    slows.Slice(a * _rank, _rank),
                    fasts.Slice(b * _rank, _rank),
                    products.Slice((a * columns + b) * _rank, _rank)
                );
        }
        return product;
    }

    private Tensor<T> Kept(Dictionary<(int, int), Tensor<T>> kept, int first, int end, int rows)
    {
        if (!kept.TryGetValue((first, end), out Tensor<T>? tensor))
            kept[(first, end)] = tensor = new([rows, _rank]);
        return tensor;
    }
}
