using Tensorial.Onnx;
using Xunit.Abstractions;

namespace Tensorial.Tests.Onnx;

/// <summary>The ONNX project's own tests of every operator that we claim, and of small whole models.</summary>
public class BackendSuiteTests(ITestOutputHelper output)
{
    /// <summary>Tests of operators we have that we nevertheless leave out, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["node/test_training_dropout"] = "Dropout: in training mode its result is random",
        ["node/test_training_dropout_default"] = "Dropout: in training mode its result is random",
        ["node/test_training_dropout_default_mask"] = "Dropout: in training mode its result is random",
        ["node/test_training_dropout_mask"] = "Dropout: in training mode its result is random",
    };

    public static TheoryData<string> Claimed() =>
        [.. BackendCase.All().Where(static test => test.WhyLeftOut() is null).Select(static test => test.Name).Except(Exceptions.Keys)];

    public static TheoryData<string> Excepted() => [.. Exceptions.Keys];

    [OracleTheory(Oracle.OnnxBackend)]
    [MemberData(nameof(Claimed))]
    public void A_claimed_operator_passes(string name)
    {
        // The suite made the windows it expects with π as 3.1415, and states sampled values to four digits; its models, and we, take all.
        bool rough = name.Contains("window", StringComparison.Ordinal) || name.Contains("gridsample", StringComparison.Ordinal);
        BackendCase.Named(name).Check(rough ? 1e-4 : null);
    }

    [OracleTheory(Oracle.OnnxBackend)]
    [MemberData(nameof(Excepted))]
    public void An_exception_is_refused_and_not_miscomputed(string name) =>
        Assert.Throws<UnsupportedException>(() => BackendCase.Named(name).Check());

    [OracleFact(Oracle.OnnxBackend)]
    public void Nothing_is_left_out_silently()
    {
        ILookup<string, BackendCase> tests = BackendCase
            .All()
            .ToLookup(static test => test.WhyLeftOut() ?? Exceptions.GetValueOrDefault(test.Name) ?? "");
        output.WriteLine($"Passed ({tests[""].Count()}):");
        Assert.NotEmpty(tests[""]);
        foreach (BackendCase test in tests[""])
            output.WriteLine($"  {test.Name}");
        foreach (IGrouping<string, BackendCase> group in tests.OrderBy(static group => group.Key, StringComparer.Ordinal).Skip(1))
        {
            output.WriteLine($"Left out ({group.Count()}), {group.Key}");
            foreach (BackendCase test in group)
                output.WriteLine($"  {test.Name}");
        }

        // Every operator we have that the suite tests at all is tested here.
        HashSet<string> passed = [.. tests[""].SelectMany(static test => test.Operators())];
        HashSet<string> known = [.. BackendCase.All().SelectMany(static test => test.Operators())];
        Assert.Empty(OnnxOperators.All.Select(static row => row.Type).Intersect(known).Except(passed));
    }
}
