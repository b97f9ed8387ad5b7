using Tensorial.Tests.Data;

namespace Tensorial.Tests.Tensors;

public class NpzTests
{
    private static readonly Dictionary<string, Tensor> Arrays = new()
    {
        ["images"] = new Tensor<float>([3, 4], Enumerable.Range(0, 12).Select(index => index / 7f).ToArray()),
        ["labels"] = new Tensor<long>([3], new long[] { 1, -2, 3 }),
    };

    private static byte[] Write()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "set.npz");
        NpzFile.Write(path, Arrays);
        Assert.Equal([path], Directory.GetFiles(folder.Path));
        return File.ReadAllBytes(path);
    }

    private static NpzFile Open(byte[] bytes) => NpzFile.Open(new MemoryStream(bytes), "set.npz");

    [Fact]
    public void What_was_written_is_read_and_written_again_the_same()
    {
        byte[] bytes = Write();
        using NpzFile file = Open(bytes);
        Assert.Equal(Arrays.Keys, file.Names);
        foreach ((string name, Tensor tensor) in Arrays)
            NpyTests.AssertSame(tensor, file.Read(name));
        Assert.Equal(bytes, Write());
    }

    [OracleFact(Oracle.NumPy)]
    public void NumPy_reads_ours_and_we_read_what_NumPy_writes()
    {
        using TemporaryFolder folder = new();
        string ours = folder.Write("ours.npz", Write());
        foreach (string save in new[] { "savez", "savez_compressed" })
        {
            string theirs = Path.Combine(folder.Path, save + ".npz");
            Oracles.RunPython($"import sys, numpy; numpy.{save}(sys.argv[2], **numpy.load(sys.argv[1]))", ours, theirs);
            using NpzFile file = NpzFile.Open(theirs);
            Assert.Equal(Arrays.Keys, file.Names);
            foreach ((string name, Tensor tensor) in Arrays)
                NpyTests.AssertSame(tensor, file.Read(name));
        }
    }

    [Fact]
    public void A_missing_array_is_named_with_those_there_are()
    {
        using NpzFile file = Open(Write());
        Refusal.Says<BadInputException>("no array 'x', only images, labels", () => file.Read("x"));
    }

    [Fact]
    public void Any_damage_gives_the_same_arrays_or_a_clear_refusal()
    {
        Mutations.Apply(
            Write(),
            seed: 12,
            rounds: 5000,
            damaged =>
            {
                using NpzFile file = Open(damaged);
                foreach (string name in file.Names)
                {
                    Tensor read = file.Read(name);
                    if (Arrays.TryGetValue(name, out Tensor? intact) && read.Shape == intact.Shape)
                        NpyTests.AssertSame(intact, read);
                }
            }
        );
    }
}
