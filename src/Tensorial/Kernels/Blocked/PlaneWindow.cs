namespace Tensorial.Kernels.Blocked;

/// <summary>A window that slides over a plane: input row = StrideY · output row + DilationY · tap - Padding.Top; columns alike.</summary>
internal readonly record struct PlaneWindow(
    int Height,
    int Width,
    int StrideY = 1,
    int StrideX = 1,
    int DilationY = 1,
    int DilationX = 1,
    Halo Padding = default
);
