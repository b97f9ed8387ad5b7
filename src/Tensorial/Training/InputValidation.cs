using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Training;

/// <summary>Whether a network can learn from images at all: found out before the first step.</summary>
internal static class InputValidation
{
    /// <summary>
    /// Refuses images that a network does not take, classes it does not tell apart, and weights from which nothing can be learnt.
    /// </summary>
    /// <param name="graph">The network, with or without a softmax at its end.</param>
    /// <param name="images">What it is to learn from.</param>
    /// <param name="role">What messages call it: the network, the teacher.</param>
    /// <param name="withLabels">Whether it learns from labels.</param>
    /// <exception cref="BadInputException">They do not fit; shows both values.</exception>
    public static void Check(Graph graph, ImageSet images, string role = "network", bool withLabels = true)
    {
        Graph sized = Logits.Of(graph).WithImageShape(images.ImageShape);
        if (
            sized.Inputs.Where(port => !sized.Initializers.ContainsKey(port.Name)).ToArray() is [{ Dimensions: { Length: > 0 } dimensions }]
        )
        {
            string[] taken = [.. dimensions.Skip(1).Select(static d => d.ToString())];
            if (!taken.SequenceEqual(images.ImageShape.Select(static extent => new Dimension(extent).ToString())))
                throw new ShapeException(
                    $"The {role} takes images of {string.Join('×', taken)}; those of {images.Name} are {images.ImageShape}."
                );
        }
        // Other constants may well be infinite: the bound of a clipping, a mask.
        HashSet<string> weights = [.. TrainableConstants.Of(graph).Select(static constant => constant.Name)];
        if (NonFiniteWeights.Of(graph).FirstOrDefault(found => weights.Contains(found.Name)) is { } broken)
            throw new BadInputException(
                $"'{broken.Name}' of the {role} holds values that are no finite numbers ({broken.NaN:N0} NaN, {broken.Infinite:N0} infinite): nothing can be learnt from there."
            );
        if (withLabels)
            images.LabelsFor("Training without a teacher");
        // Whatever else is wrong with the network, who compiles it says.
        if (
            withLabels
            && ShapeInference.Explore(sized).Operands.TryGetValue(sized.Outputs[0].Name, out ValueInfo? output)
            && output.Shape.Rank > 0
            && output.Shape.ElementCount / output.Shape[0] < images.Classes
        )
            throw new ShapeException(
                $"The {role} tells {output.Shape.ElementCount / output.Shape[0]} classes apart; {images.Name} has {images.Classes}."
            );
    }
}
