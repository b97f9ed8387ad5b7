using System.Buffers.Binary;
using System.Text;

namespace Tensorial.Tests.Tensors;

/// <summary>The safetensors format, against NumPy as an independent reader and writer, and files that are not what they claim.</summary>
public sealed class SafetensorsFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void What_is_written_is_read()
    {
        string path = Path.Combine(_folder.FullName, "a.safetensors");
        Dictionary<string, Tensor<float>> tensors = new()
        {
            ["z"] = Counted([2, 3]),
            ["a weight with \"quotes\" and ünïcode"] = Counted([4]),
            ["empty"] = Counted([0, 5]),
            ["number"] = Counted([]),
        };
        SafetensorsFile.Write(path, tensors);
        IReadOnlyDictionary<string, Tensor<float>> read = SafetensorsFile.Read(path);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach ((string name, Tensor<float> tensor) in tensors)
        {
            Assert.Equal(tensor.Shape, read[name].Shape);
            Assert.Equal(tensor.Values.ToArray(), read[name].Values.ToArray());
        }
    }

    [OracleFact(Oracle.NumPy)]
    public void NumPy_reads_what_is_written_and_writes_what_is_read()
    {
        string own = Path.Combine(_folder.FullName, "own.safetensors"),
            theirs = Path.Combine(_folder.FullName, "theirs.safetensors");
        SafetensorsFile.Write(own, [new("w", Counted([3, 4])), new("b", Counted([5]))]);
        string sums = Oracles.RunPython(
            """
            import json, struct, sys, numpy as np
            data = open(sys.argv[1], 'rb').read()
            n, = struct.unpack('<Q', data[:8])
            header = json.loads(data[8:8 + n])
            values = data[8 + n:]
            assert n % 8 == 0
            for name, t in sorted(header.items()):
                a, b = t['data_offsets']
                x = np.frombuffer(values[a:b], '<f4').reshape(t['shape'])
                print(name, x.shape, x.sum())
            x = np.arange(6, dtype='<f4').reshape(2, 3) / 4
            h = json.dumps({'__metadata__': {'made': 'by hand'}, 'x': {'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [0, 24]}}).encode()
            open(sys.argv[2], 'wb').write(struct.pack('<Q', len(h)) + h + x.tobytes())
            """,
            own,
            theirs
        );
        Assert.Equal(["b (5,) 10.0", "w (3, 4) 66.0"], sums.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Tensor<float> x = Assert.Single(SafetensorsFile.Read(theirs)).Value;
        Assert.Equal([0, 0.25f, 0.5f, 0.75f, 1, 1.25f], x.Values.ToArray());
    }

    [Theory]
    [InlineData("not json", "header cannot be read")]
    [InlineData("[]", "header cannot be read")]
    [InlineData("""{"w": 5}""", "header cannot be read")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [2]}}""", "header cannot be read")]
    [InlineData("""{"w": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}""", "F16")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 9]}}""", "3 data_offsets")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}""", "said to lie")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}""", "said to lie")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}""", "said to lie")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}""", "said to lie")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}""", "tensor 'w'")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [65536, 65536], "data_offsets": [0, 8]}}""", "tensor 'w'")]
    [InlineData("""{"w": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 8]}}""", "header cannot be read")]
    [InlineData(
        """{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""",
        "twice"
    )]
    [InlineData(
        """{"v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""",
        "share"
    )]
    public void A_header_that_lies_is_refused(string header, string reason)
    {
        byte[] text = Encoding.UTF8.GetBytes(header),
            file = new byte[8 + text.Length + 8];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        AssertRefused(file, reason);
    }

    [Theory]
    [InlineData("00"), InlineData("ffffffffffffff7f"), InlineData("ffffffffffffffff"), InlineData("0000000000000000")]
    [InlineData("0500000000000000"), InlineData("02000000000000007b")]
    public void A_file_that_ends_too_soon_is_refused(string hex) => AssertRefused(Convert.FromHexString(hex), "no safetensors file");

    [Fact]
    public void An_empty_file_is_refused() => AssertRefused([], "is empty");

    private void AssertRefused(byte[] file, string reason)
    {
        string path = Path.Combine(_folder.FullName, "bad.safetensors");
        File.WriteAllBytes(path, file);
        BadInputException error = Assert.ThrowsAny<BadInputException>(() => SafetensorsFile.Read(path));
        Assert.Contains(reason, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static Tensor<float> Counted(Shape shape)
    {
        Tensor<float> tensor = new(shape);
        for (int i = 0; i < tensor.Values.Length; i++)
            tensor.Values[i] = i;
        return tensor;
    }
}
