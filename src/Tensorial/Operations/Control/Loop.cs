using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A body that is repeated: operands are the largest number of rounds, the condition to begin, and what the first round starts from; all
/// but the starting values may be absent. The body takes the round, the condition, the values carried and what it captures; it returns the
/// condition to go on, the values carried on, and one entry each of the results that are collected.
/// </summary>
/// <param name="Body">What one round does.</param>
/// <param name="OwnInputs">Operands the node itself has, before those that its body captures; two and the values carried.</param>
public sealed record Loop(Operation Body, int OwnInputs) : Branching
{
    /// <summary>
    /// More rounds than any network makes, and more operations in all of them, those of loops inside included: a file that asks for more
    /// would never end.
    /// </summary>
    private const long MostRounds = 1 << 20,
        MostOperations = 1 << 21;

    /// <summary>What the outermost loop under way on this thread has taken, and how many loops are under way.</summary>
    [ThreadStatic]
    private static long t_operations;

    [ThreadStatic]
    private static int t_depth;

    /// <inheritdoc/>
    public override int OwnInputs { get; } = OwnInputs;

    private int Carried => Math.Max(0, OwnInputs - 2);

    internal override long OwnParameters => Body.OwnParameters;

    /// <summary>Those of all rounds where their number is a constant, else of one.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs)
    {
        long rounds = inputs.Optional(0)?.Value is { } most ? Math.Clamp(most.Integers("M")[0], 0, (int)MostRounds) : 1;
        return rounds * Body.Macs(Arguments(inputs, new(ElementType.Int64, []), new(ElementType.Bool, [])), outputs);
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo?[] operands = Arguments(inputs, new(ElementType.Int64, []), new(ElementType.Bool, []));
        ImmutableArray<ValueInfo> round = Body.Infer(operands);
        for (int i = 0; i < Carried; i++)
            if (round[1 + i].Type != operands[2 + i]!.Type || round[1 + i].Shape != operands[2 + i]!.Shape)
                throw new UnsupportedException(
                    $"the value carried as number {i} is {operands[2 + i]!.Type} {operands[2 + i]!.Shape} at first and {round[1 + i].Type} {round[1 + i].Shape} after a round."
                );
        var results = ImmutableArray.CreateBuilder<ValueInfo>();
        results.AddRange(round.Skip(1).Take(Carried).Select(static carried => carried with { Value = null }));
        if (round.Length == 1 + Carried)
            return results.ToImmutable();
        int count = Rounds(inputs, round[0]);
        foreach (ValueInfo entry in round.Skip(1 + Carried))
            results.Add(new(entry.Type, [count, .. entry.Shape]));
        return results.ToImmutable();
    }

    internal override Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    )
    {
        long most = Most(inputs.Optional(0));
        bool goes = OwnInputs < 2 || inputs.Optional(1) is not { } begin || begin.Single("cond").Of<bool>().Values[0];
        Tensor?[] arguments = Arguments(inputs, null, new Tensor<bool>([], new[] { true }));
        List<Tensor>[]? collected = null;
        long round = 0,
            values = 0;
        using Depth depth = new();
        for (; round < most && goes; round++)
        {
            if (round == MostRounds)
                throw new UnsupportedException($"a loop of more than {MostRounds:N0} rounds is not supported.");
            // Loops inside count their own.
            if ((t_operations += Body.OperationCount) > MostOperations)
                throw new UnsupportedException($"a loop of more than {MostOperations:N0} operations is not supported.");
            arguments[0] = new Tensor<long>([], new[] { round });
            Tensor[] results = Body.Evaluate(arguments, int.MaxValue, workers);
            if (results.Length < 1 + Carried)
                throw new BadInputException($"the body has {results.Length} results; a condition and {Carried} carried values are needed.");
            goes = results[0].Single("condition").Of<bool>().Values[0];
            results.AsSpan(1, Carried).CopyTo(arguments.AsSpan(2)!);
            collected ??= [.. Enumerable.Range(0, results.Length - 1 - Carried).Select(static _ => new List<Tensor>())];
            for (int k = 0; k < collected.Length; k++)
            {
                collected[k].Add(results[1 + Carried + k]);
                values += results[1 + Carried + k].Shape.ElementCount;
            }
            if (values > Array.MaxLength)
                throw new ShapeException("the loop collects more values than a tensor can hold.");
        }
        Tensor[] all =
        [
            .. arguments.AsSpan(2, Carried).ToArray().Select(static carried => carried!),
            .. collected?.Select(static entries => Stacking.Stack(entries)) ?? Empty(inputs),
        ];
        return all[..Limited(count, all.Length)];
    }

    private readonly ref struct Depth : IDisposable
    {
        public Depth()
        {
            if (t_depth++ == 0)
                t_operations = 0;
        }

        public void Dispose() => t_depth--;
    }

    /// <summary>What is collected in no rounds at all.</summary>
    private Tensor[] Empty(ReadOnlySpan<Tensor?> inputs)
    {
        ValueInfo?[] operands = new ValueInfo?[inputs.Length];
        for (int i = 0; i < operands.Length; i++)
            operands[i] = inputs[i] is { } value ? ValueInfo.From(value) : null;
        ImmutableArray<ValueInfo> round = Body.Infer(Arguments(operands, new(ElementType.Int64, []), new(ElementType.Bool, [])));
        return [.. round.Skip(1 + Carried).Select(static entry => Tensor.Zeros(entry.Type, [0, .. entry.Shape]))];
    }

    /// <summary>What the body takes: the round, the condition, the values carried, what is captured.</summary>
    private T?[] Arguments<T>(ReadOnlySpan<T?> inputs, T? round, T? condition)
        where T : class
    {
        if (inputs.Length < OwnInputs)
            throw new BadInputException($"{OwnInputs} operands are needed, {inputs.Length} are there.");
        T?[] arguments = [round, condition, .. OwnInputs > 2 ? inputs[2..OwnInputs] : [], .. inputs[OwnInputs..]];
        for (int i = 2; i < 2 + Carried; i++)
            if (arguments[i] is null)
                throw new BadInputException($"input {i} (what the loop starts from) is missing.");
        return arguments;
    }

    /// <summary>How often the body runs, where that is known beforehand.</summary>
    private int Rounds(ReadOnlySpan<ValueInfo?> inputs, ValueInfo goesOn)
    {
        long most = Most(OwnInputs > 0 ? inputs.Constant(0, "M") : null);
        bool begins = OwnInputs < 2 || inputs.Constant(1, "cond") is not { } begin || begin.Single("cond").Of<bool>().Values[0];
        if (!begins)
            return 0;
        if (goesOn.Value is not Tensor<bool> { Shape.ElementCount: 1 } condition)
            throw new UnsupportedException("how often the loop runs is known only once it has.");
        most = condition.Values[0] ? most : Math.Min(most, 1);
        return most <= MostRounds
            ? (int)most
            : throw new UnsupportedException($"a loop of more than {MostRounds:N0} rounds is not supported.");
    }

    private long Most(Tensor? given) =>
        OwnInputs > 0 && given is not null ? Math.Max(0, given.Single("M").To(ElementType.Int64).Of<long>().Values[0]) : long.MaxValue;
}
