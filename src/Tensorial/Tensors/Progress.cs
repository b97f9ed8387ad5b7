namespace Tensorial;

/// <summary>How far a long piece of work has come. The library reports it; whoever asked for the work draws it.</summary>
/// <param name="Work">What is being done, in a few words.</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all; 0 where unknown.</param>
/// <param name="Unit">What is counted: images, points, bytes.</param>
public readonly record struct Progress(string Work, long Done, long Total, string Unit)
{
    /// <summary>The part of the work that is finished, 0 to 1, where units differ in cost; null where they do not.</summary>
    public double? Part { get; init; }
}
