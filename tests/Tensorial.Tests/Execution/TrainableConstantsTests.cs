using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>Whatever looks learnt is trained or named.</summary>
public class TrainableConstantsTests
{
    private static readonly Convolution Same = new() { Pads = [1, 1, 1, 1] };

    [Fact]
    public void Scales_and_shifts_behind_a_layer_are_weights()
    {
        Sketch sketch = new();
        sketch.Node("c", Same, "x", sketch.Weights("w", [6, 3, 3, 3]));
        sketch.Node("b", new Add(), "c", sketch.Weights("bias", [6, 1, 1]));
        sketch.Node("m", new Mul(), "b", sketch.Weights("scale", [1, 6, 1, 1]));
        sketch.Node("g", new Mul(), sketch.Weights("gamma", [6, 1, 1]), "m");
        sketch.Node("y", new Mul(), "g", sketch.Constant("sixth", new Tensor<float>([1], new[] { 1f / 6 })));
        Graph graph = sketch.Graph(3, 5, 5);
        Assert.Equal(
            [("w", WeightRole.Kernel), ("bias", WeightRole.Bias), ("scale", WeightRole.Normalization), ("gamma", WeightRole.Normalization)],
            TrainableConstants.Of(graph).Select(static constant => (constant.Name, constant.Role))
        );
        Assert.Empty(TrainableConstants.FixedIn(graph));
    }

    /// <summary>As PyTorch writes it: an instance normalisation over groups with ones and zeros, the module's own numbers behind it.</summary>
    [Fact]
    public void Of_a_group_normalisation_the_scale_and_shift_of_channels_are_learnt()
    {
        Sketch sketch = new();
        sketch.Node("c", Same, "x", sketch.Weights("w", [6, 3, 3, 3]));
        sketch.Node("groups", new Reshape { Extents = [0, 2, -1] }, "c");
        sketch.Constant("ones", new Tensor<float>([2], new[] { 1f, 1 }));
        sketch.Constant("zeros", new Tensor<float>([2]));
        sketch.Node("n", new InstanceNormalization(), "groups", "ones", "zeros");
        sketch.Node("back", new Reshape { Extents = [0, 6, 5, 5] }, "n");
        sketch.Node("m", new Mul(), "back", sketch.Weights("scale", [6, 1, 1]));
        sketch.Node("y", new Add(), "m", sketch.Weights("shift", [6, 1, 1]));
        Graph graph = sketch.Graph(3, 5, 5);
        Assert.Equal(["w", "scale", "shift"], TrainableConstants.Of(graph).Select(static constant => constant.Name));
        Assert.Empty(TrainableConstants.FixedIn(graph));
    }

    [Fact]
    public void A_layer_normalisation_in_pieces_trains()
    {
        Sketch sketch = new();
        sketch.Node("e", new MatMul(), "x", sketch.Weights("w", [8, 6]));
        sketch.Node("mean", new ReduceMean { Axes = [-1] }, "e");
        sketch.Node("centred", new Sub(), "e", "mean");
        sketch.Node("squares", new Mul(), "centred", "centred");
        sketch.Node("variance", new ReduceMean { Axes = [-1] }, "squares");
        sketch.Node("deviation", new Sqrt(), "variance");
        sketch.Node("unit", new Div(), "centred", "deviation");
        sketch.Node("m", new Mul(), "unit", sketch.Weights("scale", [6]));
        sketch.Node("y", new Add(), "m", sketch.Weights("shift", [6]));
        Assert.Equal(["w", "scale", "shift"], TrainableConstants.Of(sketch.Graph(4, 8)).Select(static constant => constant.Name));
    }

    [Fact]
    public void What_looks_learnt_and_is_not_trained_is_named_with_the_reason()
    {
        Sketch sketch = new();
        sketch.Node("centred", new Sub(), "x", sketch.Weights("pixels", [3, 1, 1]));
        sketch.Node("c", Same, "centred", sketch.Weights("w", [6, 3, 3, 3]));
        sketch.Constant("grid", new Tensor<float>([5, 5], Enumerable.Range(0, 25).Select(static k => (float)k).ToArray()));
        sketch.Node("g", new Add(), "c", "grid");
        sketch.Node("y", new Div(), "g", sketch.Weights("anchors", [6, 1, 1], 1, 2));
        Graph graph = sketch.Graph(3, 5, 5);
        Assert.Equal(["w"], TrainableConstants.Of(graph).Select(static constant => constant.Name));
        Assert.Equal(["anchors", "grid", "pixels"], TrainableConstants.FixedIn(graph).Select(static constant => constant.Name));
        Assert.All(TrainableConstants.FixedIn(graph), static constant => Assert.NotEmpty(constant.Reason));
    }
}
