namespace Tensorial.Equations;

/// <summary>
/// Two terms and their product, as the matrix product that the step becomes. Plain axes of both are batches where the product keeps them
/// and summed where not; the rest belongs to one side. Along a convolved axis one of the three entries, the derived one, is decided by the
/// other two: an operand is unfolded along it, or the product is folded.
/// </summary>
internal readonly struct Pair(Algebra algebra, IndexList left, IndexList right, IndexList product)
{
    /// <summary>What moving one value costs, in multiply-accumulates, when it is decided what to unfold.</summary>
    private const double Moving = 6;

    /// <summary>The same for adding it to another, as folding does.</summary>
    private const double Adding = 30;

    /// <summary>Folding reads, adds and writes, entry by entry.</summary>
    private const double Folding = 4;

    public Algebra Algebra => algebra;

    public IndexList Left => left;

    public IndexList Right => right;

    public IndexList Product => product;

    /// <summary>The step that multiplies two terms, the larger one on the left.</summary>
    public static Pair From(Algebra algebra, IndexList a, IndexList b)
    {
        IndexList product = algebra.Product(a, b);
        return b.Size > a.Size ? new(algebra, b, a, product) : new(algebra, a, b, product);
    }

    /// <summary>Whether the step convolves an axis. One that it only carries from a factor to the product is as good as plain.</summary>
    public bool Convolves(int axis) => algebra.IsConvolved(axis) && left.Has(axis) && right.Has(axis) && product.Has(axis);

    public IndexRelation RelationOf(int axis) => new(left[axis], right[axis], product[axis], algebra.Modulus(axis));

    /// <summary>Which entry of a convolved axis the two others decide, 0 left, 1 right, 2 product: the choice that is least work.</summary>
    public int Derived(int axis)
    {
        int best = 0,
            modulus = algebra.Modulus(axis);
        double least = double.PositiveInfinity,
            others = OtherMacs(axis);
        for (int place = 0; place < 3; place++)
        {
            IndexList derived = At(place);
            double cost = Entries(axis, place) * (others + (place == 2 ? Adding : Moving) * derived.Size / derived[axis].Extent);
            if (cost < least && derived[axis].IsUnique(modulus))
                (best, least) = (place, cost);
        }
        return best;
    }

    /// <summary>
    /// The step that takes the gradient of the product to that of the left (0) or right (1) term: indices stay in the same relation while
    /// these two trade places.
    /// </summary>
    public Pair Adjoint(int side)
    {
        (IndexList gradient, IndexList other) = side == 0 ? (left, right) : (right, left);
        IndexList negated = other.Negated();
        return negated.Size > product.Size ? new(algebra, negated, product, gradient) : new(algebra, product, negated, gradient);
    }

    /// <summary>The extents of the matrix products, and the values moved: read, repacked or folded, and written.</summary>
    public MatrixExtents Extents()
    {
        MatrixExtents extents = new(1, 1, 1, 1, 0);
        double leftMoved = left.Size,
            rightMoved = right.Size,
            productMoved = product.Size;
        for (int k = 0; k < left.Axes; k++)
        {
            double a = left[k].Extent,
                b = right[k].Extent,
                c = product[k].Extent;
            if (!Convolves(k))
            {
                if (a > 0 && b > 0 && c > 0)
                    extents.Batch *= a;
                else if (a > 0 && b > 0)
                    extents.Summed *= a;
                else if (a > 0)
                    extents.Left *= a;
                else if (b > 0)
                    extents.Right *= b;
                continue;
            }
            switch (Derived(k))
            {
                case 0:
                    (extents.Left, extents.Summed, leftMoved) = (extents.Left * c, extents.Summed * b, leftMoved * 2);
                    break;
                case 1:
                    (extents.Right, extents.Summed, rightMoved, extents.Unfolds) = (
                        extents.Right * c,
                        extents.Summed * a,
                        rightMoved * 2,
                        true
                    );
                    break;
                default:
                    (extents.Left, extents.Right, productMoved) = (
                        extents.Left * a,
                        extents.Right * b,
                        productMoved + Folding * productMoved * a * b / c
                    );
                    break;
            }
        }
        extents.Moved = leftMoved + rightMoved + productMoved;
        return extents;
    }

    /// <summary>Multiply-accumulates of the step; those that meet padding count too.</summary>
    public double Macs() => Extents().Macs;

    private IndexList At(int place) =>
        place == 0 ? left
        : place == 1 ? right
        : product;

    /// <summary>Pairs of entries when the two that are not derived go through all values.</summary>
    private double Entries(int axis, int derived) => (double)At((derived + 1) % 3)[axis].Extent * At((derived + 2) % 3)[axis].Extent;

    private double PlainExtent(int axis) => Math.Max(1, Math.Max(left[axis].Extent, right[axis].Extent));

    /// <summary>Multiply-accumulates but for this axis; other convolved axes counted at their best.</summary>
    private double OtherMacs(int axis)
    {
        double macs = 1;
        for (int k = 0; k < left.Axes; k++)
        {
            if (k == axis)
                continue;
            macs *= Convolves(k) ? Math.Min(Entries(k, 0), Math.Min(Entries(k, 1), Entries(k, 2))) : PlainExtent(k);
        }
        return macs;
    }
}

/// <summary>Extents of the matrix products of a step, and the values it moves.</summary>
internal record struct MatrixExtents(double Batch, double Left, double Right, double Summed, double Moved)
{
    /// <summary>Whether the smaller factor is laid out along the differences of the other two indices.</summary>
    public bool Unfolds { get; set; }

    public readonly double Macs => Batch * Left * Right * Summed;
}
