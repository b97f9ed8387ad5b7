using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The positions of all values that are not 0, one column each, in row-major order.</summary>
public sealed record NonZero : ValueShaped
{
    private protected override Tensor[] Compute(ReadOnlySpan<Tensor?> inputs, Workers workers)
    {
        Tensor x = inputs.Optional(0) ?? throw new BadInputException("input 0 (X) is missing.");
        ReadOnlySpan<bool> flags = x.To(ElementType.Bool).Of<bool>().Values;
        List<int> places = [];
        for (int i = 0; i < flags.Length; i++)
            if (flags[i])
                places.Add(i);
        int[] strides = x.Shape.Strides();
        Tensor<long> positions = new([x.Shape.Rank, places.Count]);
        for (int axis = 0; axis < x.Shape.Rank; axis++)
        for (int i = 0; i < places.Count; i++)
            positions.Values[axis * places.Count + i] = places[i] / strides[axis] % x.Shape[axis];
        return [positions];
    }
}
