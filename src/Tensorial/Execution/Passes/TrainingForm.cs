using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A running statistic: the constant that holds it, and the value of the network that is to take its place after a step.</summary>
internal readonly record struct RunningStatistic(string Constant, string Renewed);

/// <summary>Values that are dropped at random: the input of the network that says which, 0 or 1 / (1 - ratio) each.</summary>
internal readonly record struct DropMask(string Input, string Masked, float Ratio);

/// <summary>
/// A network as it is trained: batch normalisations take mean and variance from the batch and renew their running ones, dropout multiplies
/// with a mask that is an input, constants that nodes hold are constants like others. All names stay, so weights go back to where they came
/// from.
/// </summary>
/// <param name="Graph">The network in its training form.</param>
/// <param name="Statistics">Running statistics that a step renews.</param>
/// <param name="Masks">Inputs to be drawn anew at every step.</param>
internal sealed record TrainingForm(Graph Graph, ImmutableArray<RunningStatistic> Statistics, ImmutableArray<DropMask> Masks)
{
    /// <summary>The training form of a network.</summary>
    /// <param name="graph">The network as it is evaluated.</param>
    /// <param name="momentum">What running statistics keep of themselves at each step.</param>
    /// <param name="overRanks">Where mean and variance are those of a batch that several ranks share; null for one rank's images.</param>
    public static TrainingForm From(Graph graph, float momentum = 0.9f, RankSum? overRanks = null)
    {
        var nodes = ImmutableArray.CreateBuilder<Node>(graph.Nodes.Length);
        Dictionary<string, string> renewed = [];
        var masks = ImmutableArray.CreateBuilder<DropMask>();
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        foreach (Node node in graph.Nodes)
        {
            switch (node.Operation)
            {
                case Constant constant:
                    constants[node.Outputs[0]] = constant.Value;
                    break;
                case BatchNormalization norm when node.Inputs.Length == 5 && node.Inputs.Skip(3).All(constants.ContainsKey):
                    string mean = $"{node.Outputs[0]}/mean",
                        variance = $"{node.Outputs[0]}/variance";
                    // A layer that is applied several times renews what its last application has made of them.
                    nodes.Add(
                        node with
                        {
                            Operation = new BatchNormalizationInTraining
                            {
                                Epsilon = norm.Epsilon,
                                Momentum = momentum,
                                OverRanks = overRanks,
                            },
                            Inputs =
                            [
                                .. node.Inputs.Take(3),
                                renewed.GetValueOrDefault(node.Inputs[3], node.Inputs[3]),
                                renewed.GetValueOrDefault(node.Inputs[4], node.Inputs[4]),
                            ],
                            Outputs =
                            [
                                node.Outputs[0],
                                mean,
                                variance,
                                $"{node.Outputs[0]}/batch mean",
                                $"{node.Outputs[0]}/batch reciprocal",
                            ],
                        }
                    );
                    (renewed[node.Inputs[3]], renewed[node.Inputs[4]]) = (mean, variance);
                    break;
                case Dropout dropout
                    when RatioOf(dropout, node, graph) is var ratio and > 0 && node.Outputs.Skip(1).All(static o => o.Length == 0):
                    string mask = $"{node.Outputs[0]}/mask";
                    masks.Add(new(mask, node.Inputs[0], ratio));
                    nodes.Add(node with { Operation = new Mul(), Inputs = [node.Inputs[0], mask] });
                    break;
                default:
                    nodes.Add(node);
                    break;
            }
        }
        ImmutableArray<Port> inputs = [.. graph.Inputs, .. masks.Select(static mask => new Port(mask.Input, ElementType.Float32, null))];
        return new(
            graph with
            {
                Nodes = nodes.ToImmutable(),
                Inputs = inputs,
                Initializers = constants.ToImmutable(),
            },
            [
                .. renewed
                    .Select(static pair => new RunningStatistic(pair.Key, pair.Value))
                    .OrderBy(static s => s.Constant, StringComparer.Ordinal),
            ],
            masks.ToImmutable()
        );
    }

    private static float RatioOf(Dropout dropout, Node node, Graph graph) =>
        node.Inputs.ElementAtOrDefault(1) is { Length: > 0 } name
        && graph.Initializers.GetValueOrDefault(name) is { Shape.ElementCount: 1 } given
            ? given.To(ElementType.Float32).Of<float>().Values[0]
            : dropout.Ratio;
}
