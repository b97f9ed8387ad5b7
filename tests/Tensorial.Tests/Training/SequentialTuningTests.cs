using Tensorial.Networks;
using Tensorial.Training;

namespace Tensorial.Tests.Training;

public class SequentialTuningTests
{
    [Theory, InlineData(BlockInputs.Tuned), InlineData(BlockInputs.Dense)]
    public void Spoilt_layers_learn_what_the_dense_ones_did(BlockInputs inputs)
    {
        Graph dense = TinyTask.Network();
        Graph spoilt = dense.With("conv1.weight", Spoilt(dense, "conv1.weight")).With("conv2.weight", Spoilt(dense, "conv2.weight"));
        (Graph tuned, var blocks) = SequentialTuning.Run(spoilt, dense, TinyTask.Images(), new() { Epochs = 30, LearningRate = 0.02, Inputs = inputs, Threads = 2 });
        Assert.Equal(["conv1", "conv2"], blocks.Select(static b => b.Name));
        Assert.All(blocks, static block => Assert.True(block.ErrorAfter < 0.05 * block.ErrorBefore, $"{block.Name}: {block.ErrorBefore} to {block.ErrorAfter}."));
        Assert.Same(dense.Initializers["fc.weight"], tuned.Initializers["fc.weight"]);
    }

    [Fact]
    public void A_network_without_changes_has_nothing_to_tune() =>
        Assert.Throws<BadInputException>(() => SequentialTuning.Run(TinyTask.Network(), TinyTask.Network(), TinyTask.Images(), new()));

    private static Tensor<float> Spoilt(Graph graph, string name)
    {
        Tensor<float> weights = graph.Initializers[name].Of<float>().Clone();
        Random random = new(3);
        foreach (ref float weight in weights.Values) weight *= 0.5f + random.NextSingle();
        return weights;
    }
}
