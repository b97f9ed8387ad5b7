using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A part of a feature map: some channels, or some rows and columns at steps.</summary>
internal readonly record struct PlaneCut(int Channel, int Top, int Left, int StepY, int StepX, bool TakesAllChannels, bool TakesWholePlanes)
{
    /// <summary>The part that a slice takes; null where it is computed, cuts the batch, runs backwards or skips channels.</summary>
    public static PlaneCut? From(Slice slice, Shape input, IReadOnlyList<string> names, Scope scope)
    {
        string[] given = [.. Enumerable.Range(1, 4).Select(i => names.ElementAtOrDefault(i) ?? "")];
        if (given.Any(scope.IsComputed))
            return null;
        Tensor?[] values = [.. given.Select(scope.Constant)];
        Slice.SliceAxis[] cuts = slice.Resolve(input, values[0], values[1], values[2], values[3]);
        bool[] whole = [.. cuts.Select((cut, axis) => cut is { Start: 0, Step: 1 } && cut.Count == input[axis])];
        if (!whole[0] || cuts[1].Step != 1 || cuts.Any(static cut => cut.Step < 1))
            return null;
        Slice.SliceAxis x = cuts[^1],
            y = cuts.Length == 3 ? new(0, 1, 1) : cuts[2];
        return new(cuts[1].Start, y.Start, x.Start, y.Step, x.Step, whole[1], whole[2..].All(static w => w));
    }
}

/// <summary>A margin of one value around the planes of a feature map, or channels of one value before and behind it.</summary>
internal readonly record struct PlaneMargin(int Channel, int Top, int Left, float Value, bool IsAroundPlanes)
{
    /// <summary>The margin that a padding puts; null where it is computed, not constant, crops, or is both.</summary>
    public static PlaneMargin? From(Pad pad, Shape input, IReadOnlyList<string> names, Scope scope)
    {
        string[] given = [.. Enumerable.Range(1, 3).Select(i => names.ElementAtOrDefault(i) ?? "")];
        if (pad.Mode != PadMode.Constant || given.Any(scope.IsComputed))
            return null;
        (int Begin, int End)[] pads = pad.Resolve(input, scope.Constant(given[0]), scope.Constant(given[2]));
        float value = (scope.Constant(given[1]) as Tensor<float>)?.Values[0] ?? pad.Value;
        if (pads[0] != default || pads.Any(static p => p.Begin < 0 || p.End < 0))
            return null;
        bool isAroundPlanes = pads[1] == default;
        if (!isAroundPlanes && pads[2..].Any(static p => p != default))
            return null;
        return new(pads[1].Begin, pads.Length == 3 ? 0 : pads[2].Begin, pads[^1].Begin, value, isAroundPlanes);
    }
}
