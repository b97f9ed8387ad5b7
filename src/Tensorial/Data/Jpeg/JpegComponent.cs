namespace Tensorial.Data.Jpeg;

/// <summary>One colour component of a frame: its sampling, its tables, and its samples as they are decoded.</summary>
/// <param name="id">The name that scans call it by.</param>
/// <param name="across">Samples in a minimum coded unit, horizontally.</param>
/// <param name="down">Samples in a minimum coded unit, vertically.</param>
/// <param name="table">Number of its quantisation table.</param>
internal sealed class JpegComponent(int id, int across, int down, int table)
{
    public int Id => id;

    public int Across => across;

    public int Down => down;

    public int Table => table;

    /// <summary>Samples the picture has, without padding.</summary>
    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Blocks of 8×8 with padding to whole coded units.</summary>
    public int BlocksAcross { get; private set; }

    public int BlocksDown { get; private set; }

    /// <summary>Samples of a row with padding.</summary>
    public int Stride => 8 * BlocksAcross;

    /// <summary>[8 BlocksDown, Stride].</summary>
    public byte[] Samples { get; private set; } = [];

    /// <summary>Coefficients of all blocks, 64 each in rows; empty where blocks are transformed as they come.</summary>
    public short[] Coefficients { get; private set; } = [];

    /// <summary>In rows; taken when the first scan of the component begins.</summary>
    public ushort[]? Quantization { get; set; }

    public JpegHuffman? Dc { get; set; }

    public JpegHuffman? Ac { get; set; }

    /// <summary>The DC coefficient of the last block.</summary>
    public int Prediction { get; set; }

    /// <summary>Sets extents and memory, for a picture of a size and the largest samplings among its components.</summary>
    public void Allocate(int width, int height, int mostAcross, int mostDown, bool keepsCoefficients)
    {
        (Width, Height) = (Parts(width * across, mostAcross), Parts(height * down, mostDown));
        (BlocksAcross, BlocksDown) = (across * Parts(width, 8 * mostAcross), down * Parts(height, 8 * mostDown));
        Samples = new byte[64 * BlocksAcross * BlocksDown];
        Coefficients = keepsCoefficients ? new short[64 * BlocksAcross * BlocksDown] : [];
    }

    /// <summary>Inverse transform of one block into its samples.</summary>
    public void Transform(ReadOnlySpan<short> block, int row, int column) =>
        JpegTransform.Inverse(block, Quantization!, Samples.AsSpan(8 * (row * Stride + column)), Stride);

    private static int Parts(int whole, int part) => (whole + part - 1) / part;
}
