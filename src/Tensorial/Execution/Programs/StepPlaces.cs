using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Tensorial.Execution;

/// <summary>
/// Where steps, counted in the program for the smallest batch, stand in programs for others: a batch of one sample may need none for
/// what mixes several. A step that is missing stands where the nearest one before it does, from which going on is right as well.
/// </summary>
internal sealed class StepPlaces
{
    private readonly ConditionalWeakTable<Program, int[]> _known = [];

    /// <summary>The place of a step.</summary>
    /// <param name="counted">The program in which it is counted.</param>
    /// <param name="program">The program in which it is looked for.</param>
    /// <param name="step">The step; as many as there are stand for the end.</param>
    public int Of(Program counted, Program program, int step) =>
        counted == program || step == 0 ? step
        : step == counted.Segments.Length ? program.Segments.Length
        : _known.GetValue(program, other => From(counted.Segments, other.Segments))[step];

    private static int[] From(ImmutableArray<Segment> counted, ImmutableArray<Segment> other)
    {
        Dictionary<string, int> made = [];
        for (int index = 0; index < other.Length; index++)
            made.TryAdd(other[index].Steps[0].Writes[0].Name, index);
        int[] places = new int[counted.Length];
        for (int index = 1; index < places.Length; index++)
            places[index] = made.GetValueOrDefault(counted[index].Steps[0].Writes[0].Name, places[index - 1]);
        for (int index = places.Length - 2; index >= 0; index--)
            places[index] = Math.Min(places[index], places[index + 1]);
        return places;
    }
}
