namespace Tensorial.Execution;

/// <summary>A constant that looks as if it had been learnt, and that training leaves as it is.</summary>
/// <param name="Name">The constant.</param>
/// <param name="Count">How many numbers it holds.</param>
/// <param name="Node">The node that reads it.</param>
/// <param name="Reason">A clause that follows "because".</param>
public readonly record struct FixedConstant(string Name, long Count, string Node, string Reason);
