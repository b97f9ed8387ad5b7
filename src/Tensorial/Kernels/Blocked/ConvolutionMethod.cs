namespace Tensorial.Kernels.Blocked;

/// <summary>How a convolution is computed. All methods give the same sums up to rounding.</summary>
internal enum ConvolutionMethod
{
    /// <summary>As defined.</summary>
    Direct,

    /// <summary>
    /// Winograd's F(2×2, 3×3): 4 multiplications for an output instead of 9 (16 for 2×2 outputs), with rounding about that of the direct
    /// sum. A value that is not finite spreads over the 2×2 outputs that share its tile.
    /// </summary>
    Winograd2,

    /// <summary>
    /// Winograd's F(4×4, 3×3): 2.25 multiplications for an output instead of 9 (36 for 4×4 outputs), with a few times the rounding of the
    /// direct sum. A value that is not finite spreads over the 4×4 outputs that share its tile.
    /// </summary>
    Winograd4,
}
