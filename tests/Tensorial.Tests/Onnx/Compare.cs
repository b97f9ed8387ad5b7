namespace Tensorial.Tests.Onnx;

/// <summary>Equality of tensors up to rounding: exact for whole numbers, relative to the precision of the type for others.</summary>
internal static class Compare
{
    public static void Close(Tensor expected, Tensor actual, string name, double? tolerance = null)
    {
        Assert.Equal(expected.ElementType, actual.ElementType);
        Assert.True(expected.Shape == actual.Shape, $"'{name}' has the shape {actual.Shape} instead of {expected.Shape}.");
        double allowed =
            tolerance
            ?? expected.ElementType switch
            {
                ElementType.Float16 => 2e-3,
                ElementType.BFloat16 => 1e-2,
                ElementType.Float32 => 2e-5,
                ElementType.Float64 => 1e-7, // some expectations were computed in float32
                _ => 0,
            };
        ReadOnlySpan<double> wanted = expected.To(ElementType.Float64).Of<double>().Values;
        ReadOnlySpan<double> given = actual.To(ElementType.Float64).Of<double>().Values;
        for (int i = 0; i < wanted.Length; i++)
        {
            bool same = wanted[i].Equals(given[i]) || Math.Abs(wanted[i] - given[i]) <= allowed * Math.Max(1, Math.Abs(wanted[i]));
            Assert.True(same, $"'{name}'[{i}] is {given[i]:R} instead of {wanted[i]:R}.");
        }
    }
}
