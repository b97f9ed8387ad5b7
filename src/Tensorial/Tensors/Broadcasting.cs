namespace Tensorial;

/// <summary>Stretching of extents of 1, and of absent outer axes, to those of another operand (NumPy's rule, which ONNX follows).</summary>
internal static class Broadcasting
{
    /// <summary>The shape both operands stretch to.</summary>
    /// <exception cref="ShapeException">Two extents differ and neither is 1.</exception>
    public static Shape Join(Shape x, Shape y)
    {
        int rank = Math.Max(x.Rank, y.Rank);
        int[] extents = new int[rank];
        for (int axis = 1; axis <= rank; axis++)
        {
            int left = axis <= x.Rank ? x[^axis] : 1,
                right = axis <= y.Rank ? y[^axis] : 1;
            if (left != right && left != 1 && right != 1)
                throw new ShapeException($"{x} and {y} do not broadcast: {left} against {right}.");
            extents[^axis] = left == 1 ? right : left;
        }
        return Shape.From(extents);
    }

    /// <summary>Whether <paramref name="x"/> stretches to <paramref name="target"/> without stretching the target itself.</summary>
    public static bool Reaches(Shape x, Shape target)
    {
        if (x.Rank > target.Rank)
            return false;
        for (int axis = 1; axis <= x.Rank; axis++)
            if (x[^axis] != target[^axis] && x[^axis] != 1)
                return false;
        return true;
    }

    /// <summary>
    /// Strides with which an operand of shape <paramref name="x"/> is read under the shape it stretches to: 0 where it repeats.
    /// </summary>
    public static int[] Strides(Shape x, Shape target)
    {
        int[] own = x.Strides(),
            strides = new int[target.Rank];
        for (int axis = 1; axis <= x.Rank; axis++)
            if (x[^axis] != 1)
                strides[^axis] = own[^axis];
        return strides;
    }

    /// <summary>The operand's values stretched to <paramref name="target"/>; its own memory where nothing stretches.</summary>
    public static ReadOnlySpan<T> Stretched<T>(Tensor<T> x, Shape target)
        where T : unmanaged
    {
        if (x.Shape.ElementCount == target.ElementCount)
            return x.Values;
        T[] values = new T[target.ElementCount];
        Strided.Gather<T>(target, x.Values, 0, Strides(x.Shape, target), values);
        return values;
    }

    /// <summary>A stretch of the result over which each operand either advances by one or stands still.</summary>
    /// <param name="Start">First value of the result.</param>
    /// <param name="X">First value of the left operand.</param>
    /// <param name="Y">First value of the right operand.</param>
    public readonly record struct BroadcastRun(int Start, int X, int Y);

    /// <summary>
    /// Both operands as runs: the innermost axes over which each is either contiguous or constant are one run, the axes outside
    /// them enumerate the runs.
    /// </summary>
    public sealed class BroadcastPlan
    {
        private readonly int[] _extents,
            _x,
            _y;

        public BroadcastPlan(Shape x, Shape y, Shape target)
        {
            Count = target.ElementCount;
            int[] xs = Strides(x, target),
                ys = Strides(y, target);
            int axis = target.Rank - 1;
            Length = 1;
            for (; axis >= 0; axis--)
            {
                if (target[axis] == 1)
                    continue;
                if (Length == 1)
                    (XMoves, YMoves) = (xs[axis] == 1, ys[axis] == 1);
                if (xs[axis] != (XMoves ? Length : 0) || ys[axis] != (YMoves ? Length : 0))
                    break;
                Length *= target[axis];
            }
            Runs = Length == 0 ? 0 : Count / Length;
            _extents = target.Extents[..(axis + 1)].ToArray();
            (_x, _y) = (xs, ys);
        }

        /// <summary>Values in the result.</summary>
        public int Count { get; }

        /// <summary>Values in a run.</summary>
        public int Length { get; }

        /// <summary>Number of runs.</summary>
        public int Runs { get; }

        /// <summary>Whether the left operand advances within a run.</summary>
        public bool XMoves { get; }

        /// <summary>Whether the right operand advances within a run.</summary>
        public bool YMoves { get; }

        public BroadcastRun this[int run]
        {
            get
            {
                int x = 0,
                    y = 0;
                for (int axis = _extents.Length - 1, rest = run; axis >= 0; rest /= _extents[axis--])
                {
                    int index = rest % _extents[axis];
                    x += index * _x[axis];
                    y += index * _y[axis];
                }
                return new(run * Length, x, y);
            }
        }
    }
}
