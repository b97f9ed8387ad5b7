using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>The method follows from the extents, the batch, the threads and the cache; not every combination has the same.</summary>
public class ConvolutionChoiceTests
{
    private static ConvolutionShape Shape(int channels) => new(channels, channels, 3, 3, Padding: new(1, 1, 1, 1));

    [Fact]
    public void Few_tiles_do_not_pay_for_the_larger_weights_of_the_transforms()
    {
        const int cache = 512 << 10;
        Assert.Equal(ConvolutionMethod.Direct, ConvolutionChoice.Best(Shape(512), 4, 4, 1, 1, cache));
        Assert.Equal(ConvolutionMethod.Winograd4, ConvolutionChoice.Best(Shape(64), 8, 8, 64, 1, cache));
        Assert.Equal(ConvolutionMethod.Winograd4, ConvolutionChoice.Best(Shape(128), 56, 56, 1, 1, cache));
    }

    [Fact]
    public void Other_shapes_are_direct()
    {
        Assert.Equal(ConvolutionMethod.Direct, ConvolutionChoice.Best(new(64, 64, 3, 3, 2, 2), 28, 28, 8, 1));
        Assert.Equal(ConvolutionMethod.Direct, ConvolutionChoice.Best(new(64, 64, 5, 5), 28, 28, 8, 1));
        Assert.Equal(ConvolutionMethod.Direct, ConvolutionChoice.Best(new(64, 64, 3, 3, Groups: 2), 28, 28, 8, 1));
    }

    [Theory]
    [InlineData(0, 4, 1), InlineData(1, 1, 4), InlineData(4, 16, 4), InlineData(16, 2, 2), InlineData(300, 32, 3), InlineData(29, 5, 1)]
    public void Every_tile_is_in_one_batch(int tiles, int blocks, int threads)
    {
        (WinogradPartition byTiles, WinogradPartition byOutputs) = WinogradPartition.From(tiles, blocks, threads);
        foreach (WinogradPartition partition in (WinogradPartition[])[byTiles, byOutputs])
        {
            Assert.True(partition.Batches * partition.Size >= tiles);
            Assert.True(partition.Batches == 0 || (partition.Batches - 1) * partition.Size < tiles);
            Assert.True(partition.Splits * partition.Blocks >= blocks);
            Assert.True((partition.Splits - 1) * partition.Blocks < blocks);
        }
        Assert.Equal(1, byTiles.Splits);
    }

    [Theory]
    [
        InlineData(1, 7, 7, 512, 2),
        InlineData(4, 7, 7, 512, 1),
        InlineData(1, 1, 1, 64, 4),
        InlineData(3, 56, 56, 16, 2),
        InlineData(2, 5, 1, 40, 3)
    ]
    public void Every_row_of_every_output_is_in_one_part(int images, int height, int width, int channels, int threads)
    {
        ConvolutionShape shape = Shape(channels);
        OutputGroups groups = new(shape);
        BlockedLayout input = new(images, channels, height, width, shape.Padding),
            output = input with { Halo = default };
        foreach (int cache in new[] { 128 << 10, 512 << 10, 2 << 20 })
        {
            PlanePartition partition = PlanePartition.From(shape, groups, input, output, 6, threads, cache);
            int[,] seen = new int[images * height, groups.Count];
            for (int part = 0; part < partition.Count; part++)
            {
                (Range rows, Range outputs) = partition[part];
                for (int row = rows.Start.Value; row < rows.End.Value; row++)
                for (int group = outputs.Start.Value; group < outputs.End.Value; group++)
                    seen[row, group]++;
            }
            Assert.All(seen.Cast<int>(), static count => Assert.Equal(1, count));
            Assert.InRange(partition.Depth, 1, (channels + 15) / 16);
        }
    }

    [Fact]
    public void Caches_are_read_as_Linux_lists_them()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        Assert.Null(Caches.FromSystem(folder));
        Write(0, "1", "32K");
        Write(1, "2", "1280K");
        Assert.Equal(1280 << 10, Caches.FromSystem(folder));
        Write(1, "2", "2M");
        Assert.Equal(2 << 20, Caches.FromSystem(folder));
        foreach (string nonsense in new[] { "", "K", "manyK", "9999999M", "12T" })
        {
            Write(1, "2", nonsense);
            Assert.Null(Caches.FromSystem(folder));
        }
        Directory.Delete(folder, recursive: true);

        void Write(int index, string level, string size)
        {
            _ = Directory.CreateDirectory($"{folder}/index{index}");
            File.WriteAllText($"{folder}/index{index}/level", level + "\n");
            File.WriteAllText($"{folder}/index{index}/size", size + "\n");
        }
    }
}
