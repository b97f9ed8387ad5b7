using System.Globalization;
using Tensorial.Hostile;

// list                                         names of the targets
// run TARGET|all|readers|stages [INPUTS] [SEED] [SECONDS] [FIRST]
// show TARGET SEED ROUND FILE                  writes one input
// try TARGET FILE                              uses one input
// corpus TARGET FOLDER                         writes the good inputs
// afl TARGET                                   one input after the other from AFL++ (see the README)
return args switch
{
    ["list"] => List(),
    ["run", var name, .. var rest] => Run(name, rest),
    ["show", var name, var seed, var round, var file] => Show(name, seed, round, file),
    ["try", var name, var file] => Try(name, file),
    ["corpus", var name, var folder] => Corpus(name, folder),
    ["afl", var name] => Coverage.Run(Find(name)),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        "list | run TARGET [INPUTS] [SEED] [SECONDS] [FIRST] | show TARGET SEED ROUND FILE | try TARGET FILE | corpus TARGET FOLDER | afl TARGET"
    );
    return 2;
}

static int List()
{
    foreach (Target target in Target.All)
        Console.WriteLine($"{target.Name}\t{(target.IsStage ? "stage" : "reader")}");
    return 0;
}

static Target Find(string name) =>
    Target.All.FirstOrDefault(target => target.Name == name) ?? throw new ArgumentException($"There is no target '{name}'.");

static int Run(string name, string[] rest)
{
    long Number(int place, long usual) => rest.Length > place ? long.Parse(rest[place], CultureInfo.InvariantCulture) : usual;
    int seed = (int)Number(1, 1),
        code = 0;
    foreach (
        Target target in Target.All.Where(target =>
            name is "all" || target.Name == name || (name == "readers" && !target.IsStage) || (name == "stages" && target.IsStage)
        )
    )
    {
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        Outcome outcome = new Runner(target, seed)
        {
            Journal = Path.Combine(Path.GetTempPath(), $"tensorial-hostile-{target.Name}.round"),
        }.Run(Number(3, 0), Number(0, 10_000), TimeSpan.FromSeconds(Number(2, 3600)));
        TimeSpan time = System.Diagnostics.Stopwatch.GetElapsedTime(began);
        Console.WriteLine(
            $"{target.Name}: {outcome.Inputs:N0} inputs in {time.TotalSeconds:F0} s, {outcome.Accepted:N0} used, {outcome.Inputs - outcome.Accepted:N0} refused, {outcome.Faults.Count} kinds of faults; round {outcome.Slowest.Round} took longest, {outcome.Slowest.Time.TotalMilliseconds:F0} ms"
        );
        foreach (string fault in outcome.Faults)
            Console.WriteLine($"  {fault}");
        code = outcome.Faults.Count > 0 ? 1 : code;
    }
    return code;
}

static int Show(string name, string seed, string round, string file)
{
    File.WriteAllBytes(
        file,
        Find(name).Input(int.Parse(seed, CultureInfo.InvariantCulture), long.Parse(round, CultureInfo.InvariantCulture))
    );
    return 0;
}

static int Try(string name, string file)
{
    string? fault = new Runner(Find(name), 0).Try(File.ReadAllBytes(file));
    Console.WriteLine(fault ?? "used or refused in words");
    return fault is null ? 0 : 1;
}

static int Corpus(string name, string folder)
{
    Directory.CreateDirectory(folder);
    IReadOnlyList<byte[]> good = Find(name).Good;
    for (int i = 0; i < good.Count; i++)
        File.WriteAllBytes(Path.Combine(folder, $"{i:D4}"), good[i]);
    return 0;
}
