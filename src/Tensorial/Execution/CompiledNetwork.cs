using System.Collections.Immutable;

namespace Tensorial.Execution;

/// <summary>One step of a compiled network: a kernel call with its operands.</summary>
/// <param name="Label">What it does, for profiles and messages.</param>
/// <param name="Reads">Values it reads.</param>
/// <param name="Writes">Values it makes.</param>
/// <param name="Constants">Names of the network's constants that its weights come from.</param>
/// <param name="Run">Does it.</param>
internal sealed record Step(
    string Label,
    ImmutableArray<Value> Reads,
    ImmutableArray<Value> Writes,
    ImmutableArray<string> Constants,
    Action<Frame> Run
);

/// <summary>A network compiled for one batch size: steps in order, values with their places, nothing left to decide.</summary>
internal sealed class CompiledNetwork
{
    public CompiledNetwork(ImmutableArray<Step> steps, ImmutableArray<Value> inputs, ImmutableArray<Value> outputs)
    {
        (Steps, Inputs, Outputs) = (steps, inputs, outputs);
        Values =
        [
            .. inputs
                .Concat(steps.SelectMany(static s => s.Reads.Concat(s.Writes)))
                .Concat(outputs)
                .SelectMany(static v => new[] { v, v.Root })
                .Distinct(),
        ];
        for (int id = 0; id < Values.Length; id++)
            Values[id].Id = id;
        for (int index = 0; index < steps.Length; index++)
        {
            foreach (Value read in steps[index].Reads)
                Touch(read.Root, index);
            foreach (Value write in steps[index].Writes)
                Touch(write.Root, index);
        }
        foreach (Value output in outputs)
            Touch(output.Root, steps.Length);
        ArenaLength = MemoryPlan.Assign(Values);
    }

    public ImmutableArray<Step> Steps { get; }

    public ImmutableArray<Value> Inputs { get; }

    public ImmutableArray<Value> Outputs { get; }

    public ImmutableArray<Value> Values { get; }

    /// <summary>Floats one evaluation needs for its activations.</summary>
    public int ArenaLength { get; }

    /// <summary>Runs the steps from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    public void Run(Frame frame, int first, int end)
    {
        for (int index = first; index < end; index++)
            Steps[index].Run(frame);
    }

    /// <summary>Values made before a step and read at or after it: all that has to be kept to go on from there.</summary>
    public IEnumerable<Value> AliveAt(int step) =>
        Values.Where(v => v.SharesMemoryOf is null && !v.IsExternal && v.First < step && v.Last >= step);

    private static void Touch(Value value, int step)
    {
        if (value.First < 0)
            value.First = step;
        value.Last = Math.Max(value.Last, step);
    }
}
