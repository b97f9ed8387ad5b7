using System.Text.RegularExpressions;
using NetArchTest.Rules;

namespace Tensorial.Tests.Architecture;

/// <summary>House rules that a machine can keep.</summary>
public partial class HouseTests
{
    /// <summary>A room may use those before it and no others. The nouns of Tensors live in the root namespace and need no using.</summary>
    private static readonly string[] Rooms =
    [
        "Kernels",
        "Tensors",
        "LinearAlgebra",
        "Equations",
        "Operations",
        "Decompositions",
        "Graphs",
        "Execution",
        "Onnx",
        "Data",
        "Training",
        "Analysis",
        "Compression",
        "Reports",
    ];

    private static readonly string Library = Path.Combine(Oracles.Repository, "src", "Tensorial");

    /// <summary>All but the last, behind which there is none.</summary>
    public static TheoryData<string> RoomNames => [.. Rooms[..^1]];

    /// <summary>Read from the compiled types: signatures and bodies, however the source names them.</summary>
    [Theory, MemberData(nameof(RoomNames))]
    public void Every_room_looks_only_back(string room)
    {
        int place = Array.IndexOf(Rooms, room);
        string[] later = [.. Rooms.Skip(place + 1).Select(static name => $"Tensorial.{name}")];
        // The nouns of Tensors live in the root namespace.
        string own = room == "Tensors" ? "^Tensorial$" : $@"^Tensorial\.{room}(\.|$)";
        Assert.NotEmpty(later);
        PredicateList types = Types.InAssembly(typeof(Tensor).Assembly).That().ResideInNamespaceMatching(own);
        Assert.NotEmpty(types.GetTypes());
        TestResult result = types.ShouldNot().HaveDependencyOnAny(later).GetResult();
        Assert.Empty(result.FailingTypeNames ?? []);
    }

    /// <summary>The check above would notice: references within one assembly are seen.</summary>
    [Fact]
    public void References_between_rooms_are_seen() =>
        Assert.NotEmpty(
            Types
                .InAssembly(typeof(Tensor).Assembly)
                .That()
                .ResideInNamespace("Tensorial.Execution")
                .And()
                .HaveDependencyOnAny("Tensorial.Kernels")
                .GetTypes()
        );

    [Fact]
    public void Every_folder_of_the_library_is_a_room() =>
        Assert.Empty(Directory.GetDirectories(Library).Select(Path.GetFileName).Except([.. Rooms, "bin", "obj"]));

    [Fact]
    public void Kernels_know_no_tensors() =>
        Assert.DoesNotContain(Sources(Path.Combine(Library, "Kernels")), static file => TensorReference().IsMatch(File.ReadAllText(file)));

    [Fact]
    public void Only_kernels_speak_the_processors_language() =>
        Assert.Empty(
            from file in Sources(Library)
            where !file.StartsWith(Path.Combine(Library, "Kernels"), StringComparison.Ordinal)
            where File.ReadAllText(file).Contains("System.Runtime.Intrinsics", StringComparison.Ordinal)
            select Path.GetRelativePath(Library, file)
        );

    /// <summary>A named pipe in a file's place is waited for by whoever opens it elsewhere. Those of /proc and /sys are the system's own,
    /// the profile is what ONNX Runtime has just written for us.</summary>
    [Fact]
    public void Inputs_are_opened_in_one_place() =>
        Assert.Equal(
            ["OrtProfile.cs", "Caches.cs", "InputFile.cs"],
            from file in Sources(Path.Combine(Oracles.Repository, "src"))
            where OpensToRead().IsMatch(File.ReadAllText(file))
            orderby file
            select Path.GetFileName(file)
        );

    [Fact]
    public void Files_can_be_held_in_the_head()
    {
        int[] lengths = [.. Sources(Path.Combine(Oracles.Repository, "src")).Select(static file => File.ReadLines(file).Count()).Order()];
        Assert.InRange(lengths[lengths.Length / 2], 1, 120);
        Assert.InRange(lengths[^1], 1, 600);
    }

    private static IEnumerable<string> Sources(string folder) =>
        from file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        let path = file.Split(Path.DirectorySeparatorChar)
        where !path.Contains("obj") && !path.Contains("bin")
        select file;

    [GeneratedRegex(@"\bFile\.(OpenRead|OpenText|ReadAll\w+)\b")]
    private static partial Regex OpensToRead();

    [GeneratedRegex(@"\bTensor<|\bShape\b\s+\w")]
    private static partial Regex TensorReference();
}
