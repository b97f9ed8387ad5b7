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
        Tensor<T> left = new([rows, _rank]),
            right = new([columns, _rank]);
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
        Visit(SumRight(part, rows, columns, KhatriRao(factors, middle, end)), first, middle, factors, visit);
        Visit(SumLeft(part, rows, columns, KhatriRao(factors, first, middle)), middle, end, factors, visit);
    }

    /// <summary>Y[a, r] = Σ_b P[a, b, r] F[b, r].</summary>
    private Tensor<T> SumRight(Tensor<T> part, int rows, int columns, Tensor<T> factor)
    {
        Tensor<T> result = new([rows, _rank]);
        Share(
            rows,
            columns,
            a =>
            {
                Span<T> sum = result.Values.Slice(a * _rank, _rank);
                for (int b = 0; b < columns; b++)
                    TensorPrimitives.MultiplyAdd<T>(
                        part.Values.Slice((a * columns + b) * _rank, _rank),
                        factor.Values.Slice(b * _rank, _rank),
                        sum,
                        sum
                    );
            }
        );
        return result;
    }

    /// <summary>Y[b, r] = Σ_a P[a, b, r] F[a, r].</summary>
    private Tensor<T> SumLeft(Tensor<T> part, int rows, int columns, Tensor<T> factor)
    {
        Tensor<T> result = new([columns, _rank]);
        Share(
            columns,
            rows,
            b =>
            {
                Span<T> sum = result.Values.Slice(b * _rank, _rank);
                for (int a = 0; a < rows; a++)
                    TensorPrimitives.MultiplyAdd<T>(
                        part.Values.Slice((a * columns + b) * _rank, _rank),
                        factor.Values.Slice(a * _rank, _rank),
                        sum,
                        sum
                    );
            }
        );
        return result;
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
            product = new([rows * columns, _rank]);
            for (int a = 0; a < rows; a++)
            for (int b = 0; b < columns; b++)
                TensorPrimitives.Multiply<T>(
                    slow.Values.Slice(a * _rank, _rank),
                    fast.Values.Slice(b * _rank, _rank),
                    product.Values.Slice((a * columns + b) * _rank, _rank)
                );
        }
        return product;
    }

    private void Share(int count, int each, Action<int> body)
    {
        if ((long)count * each * _rank >= Piece)
            _workers.For(count, body);
        else
            Workers.Serial.For(count, body);
    }
}
