using System.Text.RegularExpressions;

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

    [Fact]
    public void Every_room_looks_only_back()
    {
        IEnumerable<string> forward =
            from file in Sources(Library)
            let room = Path.GetRelativePath(Library, file).Split(Path.DirectorySeparatorChar)[0]
            from Match used in RoomReference().Matches(File.ReadAllText(file))
            where Array.IndexOf(Rooms, used.Groups[1].Value) > Array.IndexOf(Rooms, room)
            select $"{Path.GetRelativePath(Library, file)} uses {used.Groups[1].Value}";

        Assert.Empty(forward);
    }

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

    [GeneratedRegex(
        @"\bTensorial\.(Kernels|LinearAlgebra|Equations|Operations|Decompositions|Graphs|Execution|Onnx|Data|Training|Analysis|Compression|Reports)\b"
    )]
    private static partial Regex RoomReference();

    [GeneratedRegex(@"\bTensor<|\bShape\b\s+\w")]
    private static partial Regex TensorReference();
}
