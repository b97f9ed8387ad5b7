namespace Tensorial.Compression.Runtimes;

/// <summary>The time of one step of a runtime: a node, or several that it runs as one.</summary>
/// <param name="Name">Begins with the name of its node, of the first one where there are several; steps of the runtime's own have names of
/// its own.</param>
/// <param name="Seconds">Median over the rounds.</param>
public readonly record struct StepTime(string Name, double Seconds);
