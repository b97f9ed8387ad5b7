using Tensorial.Graphs;

namespace Tensorial.Onnx;

/// <summary>The body of a branch or a loop: a graph whose inputs are its own, then what the node captures from around it.</summary>
/// <param name="Graph">The body.</param>
/// <param name="OwnInputs">How many of its inputs are its own.</param>
internal sealed record OnnxBody(Graph Graph, int OwnInputs);
