using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Cli.Commands;

namespace Tensorial.Cli;

/// <summary>
/// The part of a sweep that a task of a scheduler has: an element of a Slurm job array, or a pod of a Kubernetes Indexed Job.
/// </summary>
internal static class SchedulerShard
{
    private const string Slurm = "SLURM_ARRAY_TASK",
        Kubernetes = "JOB_COMPLETION_INDEX";

    /// <summary>--shard.</summary>
    public static Option<Shard?> Create() =>
        SweepOptionGroup.Parsed(
            "--shard",
            "I/N",
            "Measure only part I of N equal parts; tensorial merge joins them. auto takes I and N from a Slurm job array (SLURM_ARRAY_TASK_ID), "
                + "auto/N takes I from it or from a Kubernetes Indexed Job (JOB_COMPLETION_INDEX).",
            static text => (Shard?)Parse(text, Environment.GetEnvironmentVariable)
        );

    /// <summary>Refuses a shard whose results would go nowhere, or that is to write what only the whole can say.</summary>
    /// <param name="shard">Which part; null for the whole.</param>
    /// <param name="store">The folder of --resume.</param>
    /// <param name="outputs">Options that write results, and whether they were given.</param>
    /// <exception cref="UsageException">It is so.</exception>
    public static void Check(Shard? shard, DirectoryInfo? store, params ReadOnlySpan<(string Option, bool IsGiven)> outputs)
    {
        if (shard is not { Count: > 1 })
            return;
        if (store is null)
            throw new UsageException($"--shard {shard} keeps its results for the run that joins them: give --resume DIR.");
        foreach ((string option, bool isGiven) in outputs)
            if (isGiven)
                throw new UsageException(
                    $"--shard {shard} has no whole result to write: leave out {option}, and give it to the same command without --shard when all shards are done."
                );
    }

    /// <summary>Says what a shard did and what comes next.</summary>
    public static void Report(Terminal terminal, Shard shard, DirectoryInfo store, string what, string command) =>
        terminal.Say(
            $"Shard {shard} is done: {what}, in {store}. When all are, the same command without --shard{command} goes on from there; shards with stores of their own are joined by tensorial merge DIR {store} …"
        );

    /// <summary>Reads <c>2/4</c>, <c>auto</c> or <c>auto/4</c>.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="variable">The environment.</param>
    /// <exception cref="BadInputException">No shard, or no task of a scheduler that says which it is; says what is missing.</exception>
    public static Shard Parse(string text, Func<string, string?> variable)
    {
        if (text != "auto" && !text.StartsWith("auto/", StringComparison.Ordinal))
            return Shard.Parse(text);
        int? total = text == "auto" ? null : Shard.Parse($"1/{text["auto/".Length..]}").Count;
        if (Number($"{Slurm}_ID", variable) is { } id)
            return total is { } tasks ? Numbered(id, tasks) : WholeArray(id, variable);
        if (Number(Kubernetes, variable) is { } index)
            return total is { } pods
                ? index < pods
                    ? new(index + 1, pods)
                    : throw new BadInputException($"{Kubernetes} is {index}, and of {pods} parts the last has the index {pods - 1}.")
                : throw new BadInputException(
                    $"{Kubernetes} says which pod this is and not of how many: write --shard auto/N with the job's completions."
                );
        throw new BadInputException(
            $"--shard {text} is for the tasks of a scheduler, and neither {Slurm}_ID nor {Kubernetes} is set; write --shard I/N."
        );
    }

    /// <summary>A task whose number is that of its part, so that some tasks of an array can be submitted again.</summary>
    private static Shard Numbered(int id, int tasks) =>
        id >= 1 && id <= tasks
            ? new(id, tasks)
            : throw new BadInputException(
                $"{Slurm}_ID is {id}; the tasks of --shard auto/{tasks} are numbered 1 to {tasks} (--array=1-{tasks})."
            );

    /// <summary>A task of an array that has all parts.</summary>
    private static Shard WholeArray(int id, Func<string, string?> variable)
    {
        if (Number($"{Slurm}_COUNT", variable) is not { } count || Number($"{Slurm}_MIN", variable) is not { } first)
            throw new BadInputException($"{Slurm}_COUNT and {Slurm}_MIN are not set: write --shard auto/N.");
        // Tasks that are submitted again, as --array=3,7, are not the whole array, and their count is not the sweep's.
        return Number($"{Slurm}_MAX", variable) is { } last && last - first + 1 != count
            ? throw new BadInputException(
                $"The array has {count} tasks between {first} and {last}: if these are some of a larger array submitted again, write --shard auto/N with its size and number tasks from 1."
            )
            : new(id - first + 1, count);
    }

    private static int? Number(string name, Func<string, string?> variable) =>
        int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
