namespace Tensorial.Graphs;

/// <summary>
/// The form of a network in which every weight is an initializer that the layer reads itself. The same function with the same inputs and
/// outputs; what looks for weights, rewrites or trains them starts from here.
/// </summary>
internal static class WeightsAsInitializers
{
    /// <summary>
    /// Constant nodes become initializers; Identity nodes on constants go; constants that are moved, or computed at no cost in room, are
    /// folded; dead nodes and unread constants go.
    /// </summary>
    /// <param name="graph">Any network; one in this form is given back as it is.</param>
    public static Graph Apply(Graph graph) => RemoveUnused.Apply(FoldWeights.Apply(AliasConstants.Apply(InlineConstants.Apply(graph))));

    /// <summary>
    /// The same for training: a constant that exporters joined for several layers, because it holds the same number throughout, becomes one
    /// for each part it plays, and running statistics that are computed of constants are constants of their own.
    /// </summary>
    /// <param name="graph">Any network; one in this form is given back as it is.</param>
    public static Graph ForTraining(Graph graph) => SeparateRoles.Apply(FoldStatistics.Apply(Apply(graph)));
}
