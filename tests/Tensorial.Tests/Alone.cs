namespace Tensorial.Tests;

/// <summary>Tests that change what the whole process shares, such as the console or the current folder.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
