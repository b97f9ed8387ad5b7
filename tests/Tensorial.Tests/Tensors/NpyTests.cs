using System.Text;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Tensors;

public class NpyTests
{
    /// <summary>A tensor of every element type that NumPy knows, and NumPy's name of it.</summary>
    public static TheoryData<Tensor, string> Tensors =>
        new()
        {
            { new Tensor<float>([2, 3], new[] { 0, -1.5f, float.MaxValue, float.NaN, float.NegativeInfinity, float.Epsilon }), "float32" },
            { new Tensor<double>([3], new[] { Math.PI, double.MinValue, 0 }), "float64" },
            { new Tensor<Half>([1, 2], new[] { (Half)1.5f, Half.MaxValue }), "float16" },
            { new Tensor<sbyte>([2], new sbyte[] { -128, 127 }), "int8" },
            { new Tensor<short>([2, 1, 2], new short[] { -32768, 32767, 0, 1 }), "int16" },
            { new Tensor<int>([2], new[] { int.MinValue, int.MaxValue }), "int32" },
            { new Tensor<long>([2], new[] { long.MinValue, long.MaxValue }), "int64" },
            { new Tensor<byte>([2], new byte[] { 0, 255 }), "uint8" },
            { new Tensor<ushort>([2], new ushort[] { 0, 65535 }), "uint16" },
            { new Tensor<uint>([2], new[] { 0u, uint.MaxValue }), "uint32" },
            { new Tensor<ulong>([], new[] { ulong.MaxValue }), "uint64" },
            { new Tensor<bool>([0, 4]), "bool" },
            { new Tensor<bool>([2], new[] { true, false }), "bool" },
        };

    [Theory]
    [MemberData(nameof(Tensors))]
    public void What_was_written_is_read(Tensor tensor, string type)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, type + ".npy");
        NpyFile.Write(tensor, path);
        AssertSame(tensor, NpyFile.Read(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [OracleTheory(Oracle.NumPy)]
    [MemberData(nameof(Tensors))]
    public void NumPy_reads_and_writes_the_same(Tensor tensor, string type)
    {
        using TemporaryFolder folder = new();
        string ours = Path.Combine(folder.Path, "ours.npy"),
            theirs = Path.Combine(folder.Path, "theirs.npy");
        NpyFile.Write(tensor, ours);
        string written = Oracles.RunPython(
            "import sys, numpy; a = numpy.load(sys.argv[1]); print(a.dtype, a.shape); numpy.save(sys.argv[2], a)",
            ours,
            theirs
        );
        Assert.StartsWith(type, written, StringComparison.Ordinal);
        AssertSame(tensor, NpyFile.Read(theirs));
        Assert.Equal(File.ReadAllBytes(theirs), File.ReadAllBytes(ours));
    }

    [OracleTheory(Oracle.NumPy)]
    [InlineData("numpy.arange(24, dtype='<f4').reshape(2, 3, 4)", 1)]
    [InlineData("numpy.asfortranarray(numpy.arange(24, dtype='<f4').reshape(2, 3, 4))", 1)]
    [InlineData("numpy.arange(24, dtype='>f4').reshape(2, 3, 4)", 1)]
    [InlineData("numpy.asfortranarray(numpy.arange(24, dtype='>f4').reshape(2, 3, 4))", 2)]
    [InlineData("numpy.arange(24, dtype='<f4').reshape(2, 3, 4)", 3)]
    public void Order_endianness_and_version_make_no_difference(string array, int version)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "array.npy");
        Oracles.RunPython($"import sys, numpy; numpy.lib.format.write_array(open(sys.argv[1], 'wb'), {array}, ({version}, 0))", path);
        AssertSame(new Tensor<float>([2, 3, 4], Enumerable.Range(0, 24).Select(index => (float)index).ToArray()), NpyFile.Read(path));
    }

    [Fact]
    public void A_tensor_without_a_NumPy_type_leaves_no_file()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<UnsupportedException>(() => NpyFile.Write(new Tensor<BFloat16>([1]), Path.Combine(folder.Path, "x.npy")));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, "")]
    [InlineData("{\"shape\": (2L,), \"descr\":\"<f4\",\"fortran_order\":False}", 8, "")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "ends before the last of the 2 values")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "goes on after the 2 values")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "the NumPy type '<c8'")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "the NumPy type '|O'")]
    [InlineData("{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }", 8, "the NumPy type [('a', '<f4')")]
    [InlineData("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", 8, "fortran_order 1")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", 8, "no tuple")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, "'-2' is no extent")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (,), }", 8, "'' is no extent")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,), }", 8, "'9999999999' is no extent")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999), }", 8, "too large")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }", 8, "take 8,000,000,000 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", 8, "has a header that is not")]
    [InlineData("__import__('os')", 8, "has a header that is not")]
    public void A_header_is_understood_or_refused(string header, int bytes, string words)
    {
        byte[] start = [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)];
        byte[] file = [.. start, .. Encoding.Latin1.GetBytes(header), .. new byte[bytes]];
        if (words.Length == 0)
            Assert.Equal([2], NpyFile.Read(new MemoryStream(file), "file", file.Length).Shape);
        else
            Refusal.Says<BadInputException>(words, () => NpyFile.Read(new MemoryStream(file), "file", file.Length));
    }

    [Theory]
    [InlineData("", "too short")]
    [InlineData("504B0304504B0304", "starts with 504B0304504B")]
    [InlineData("934E554D50590900", "version 9.0")]
    [InlineData("934E554D50590100", "ends inside its header")]
    [InlineData("934E554D505901000300", "ends inside its header")]
    [InlineData("934E554D50590200FFFFFFFF", "header of 4,294,967,295 bytes")]
    public void A_wrong_start_is_refused(string start, string words) =>
        Refusal.Says<BadInputException>(words, () => NpyFile.Read(new MemoryStream(Convert.FromHexString(start)), "file"));

    [Fact]
    public void Any_damage_gives_an_array_or_a_clear_refusal()
    {
        using MemoryStream file = new();
        NpyFile.Write(new Tensor<float>([4, 5]), file);
        Mutations.Apply(
            file.ToArray(),
            seed: 11,
            rounds: 5000,
            damaged => NpyFile.Read(new MemoryStream(damaged), "damaged", damaged.Length)
        );
    }

    internal static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.ElementType, actual.ElementType);
        Assert.Equal(expected.Shape, actual.Shape);
        using MemoryStream left = new(),
            right = new();
        NpyFile.Write(expected, left);
        NpyFile.Write(actual, right);
        Assert.Equal(left.ToArray(), right.ToArray());
    }
}
