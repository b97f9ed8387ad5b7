using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.CompilerServices;
using Tensorial.Onnx;

namespace Tensorial.Cli;

/// <summary>
/// What a command reads and what it writes, by its arguments and options: a file or folder is read unless it was marked as written. Before
/// a command runs, every output is held against everything else that it names.
/// </summary>
internal static class PathRoles
{
    private enum Role
    {
        Input,
        Output,
        Folder,
        Store,
    }

    private static readonly ConditionalWeakTable<Symbol, object> Roles = [];

    /// <summary>Marks a file, or a folder for files, that the command writes.</summary>
    public static T Written<T>(this T symbol)
        where T : Symbol
    {
        Roles.AddOrUpdate(symbol, Role.Output);
        return symbol;
    }

    /// <summary>Marks a folder that the command puts files into beside others: tables and figures may lie in one.</summary>
    public static T WrittenInto<T>(this T symbol)
        where T : Symbol
    {
        Roles.AddOrUpdate(symbol, Role.Folder);
        return symbol;
    }

    /// <summary>Marks a text, or texts, that may name files which the command reads.</summary>
    public static T ReadAsPath<T>(this T symbol)
        where T : Symbol
    {
        Roles.AddOrUpdate(symbol, Role.Input);
        return symbol;
    }

    /// <summary>Marks the data set that the command reads, as <c>--data</c> names it.</summary>
    public static T ReadAsData<T>(this T symbol)
        where T : Symbol
    {
        Roles.AddOrUpdate(symbol, Role.Store);
        return symbol;
    }

    /// <summary>Refuses outputs that would overwrite an input or another output, or lie inside one.</summary>
    /// <exception cref="UsageException">One would; names both.</exception>
    public static void Check(ParseResult parsed)
    {
        List<string> inputs = [];
        List<(string Path, bool IsFolder)> outputs = [];
        CommandResult command = parsed.CommandResult;
        foreach (Symbol symbol in command.Command.Arguments.Cast<Symbol>().Concat(command.Command.Options))
        {
            string[] paths = PathsOf(parsed, symbol);
            if (RoleOf(symbol) is Role.Output or Role.Folder)
                outputs.AddRange(paths.Select(path => (path, RoleOf(symbol) == Role.Folder)));
            else
                inputs.AddRange(paths);
        }
        for (int i = 0; i < outputs.Count; i++)
        {
            (string output, bool isFolder) = outputs[i];
            foreach (string input in inputs)
                Check(output, input);
            foreach ((string other, bool takesMore) in outputs.Where((_, k) => k != i))
                if (Conflict(output, other) is { } how && !(takesMore && (how.Length > 0 || isFolder)))
                    throw new UsageException(
                        how.Length == 0
                            ? $"'{output}' is named for two outputs of this command, of which one would be overwritten; name a file for each."
                            : $"'{output}' lies {how} '{other}', and both are outputs of this command; name another place for one."
                    );
            if (!isFolder)
                CheckWeights(output, inputs);
        }
    }

    /// <summary>Refuses an output that would overwrite the weights of a model, which says itself in which files they lie.</summary>
    private static void CheckWeights(string output, IEnumerable<string> inputs)
    {
        string real = RealPath.Of(output);
        // A model is written with its own weights beside it.
        string[] replaced = [.. new[] { real, real + ".data" }.Where(File.Exists)];
        foreach (string input in inputs.Where(File.Exists))
        {
            string folder = RealPath.Of(Path.GetDirectoryName(Path.GetFullPath(input))!);
            // Only then is it worth reading the model.
            if (!replaced.Any(path => RealPath.IsInside(path, folder)))
                continue;
            if (WeightsOf(input).FirstOrDefault(weights => replaced.Contains(weights, RealPath.Comparer)) is { } lost)
                throw new UsageException(
                    $"'{output}' would overwrite '{lost}', in which '{input}' keeps its weights; name another file for the output."
                );
        }
    }

    private static IReadOnlyList<string> WeightsOf(string model)
    {
        try
        {
            return OnnxFile.ExternalFiles(model);
        }
        catch (Exception error) when (error is BadInputException or IOException or UnauthorizedAccessException)
        {
            // Another kind of file, or a damaged one, which the command complains of.
            return [];
        }
    }

    /// <summary>Refuses an output that would overwrite what the command reads, or lie inside it.</summary>
    /// <exception cref="UsageException">It would; names both.</exception>
    public static void Check(string output, string input)
    {
        if (Conflict(output, input) is { } how)
            throw new UsageException(
                how.Length == 0
                    ? $"'{output}' is an input of this command and would be overwritten; name another file for the output."
                    : $"'{output}' is an output of this command and lies {how} '{input}', which it reads; name another place for the output."
            );
    }

    /// <summary>Empty where both are the same file or folder, "inside" where the output lies in it, null where they have nothing in common.</summary>
    private static string? Conflict(string output, string other)
    {
        // A device is written to, never replaced.
        if (output.StartsWith("/dev/", StringComparison.Ordinal) && !output.StartsWith("/dev/shm/", StringComparison.Ordinal))
            return null;
        (string a, string b) = (RealPath.Of(output), RealPath.Of(other));
        if (RealPath.Comparer.Equals(a, b))
            return "";
        if (RealPath.IsInside(a, b) && !File.Exists(b))
            return "inside";
        // A network too large for one file keeps its weights in another beside it.
        bool isBeside =
            RealPath.Comparer.Equals(a, b + ".data")
            || RealPath.Comparer.Equals(a, b + "_data")
            || (a.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && RealPath.Comparer.Equals(a + ".data", b));
        return isBeside ? "at the weights of" : null;
    }

    private static Role RoleOf(Symbol symbol) => Roles.TryGetValue(symbol, out object? role) ? (Role)role : Role.Input;

    private static string[] PathsOf(ParseResult parsed, Symbol symbol)
    {
        (SymbolResult? result, Type type) = symbol switch
        {
            Argument argument => (parsed.GetResult(argument), argument.ValueType),
            Option option => ((SymbolResult?)parsed.GetResult(option), option.ValueType),
            _ => (null, typeof(void)),
        };
        string[] words = result is null ? [] : [.. result.Tokens.Select(static token => token.Value)];
        if (typeof(FileSystemInfo).IsAssignableFrom(type))
            return words;
        if (!Roles.TryGetValue(symbol, out object? role))
            return [];
        // A set's text names one or several files or a folder behind its format; what is not there is complained of later.
        return (Role)role == Role.Store
            ? [.. words.SelectMany(static word => word[(word.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(',')).Where(Path.Exists)]
            : [.. words.Where(Path.Exists)];
    }
}

/// <summary>Where paths really lead: links are followed, of the path itself and of every folder above it.</summary>
internal static class RealPath
{
    public static StringComparer Comparer { get; } = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>The full path without links; the file need not exist.</summary>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path),
            real = Path.GetPathRoot(full)!;
        foreach (string part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(real, part);
            FileSystemInfo info = Directory.Exists(next) ? new DirectoryInfo(next) : new FileInfo(next);
            real = info.LinkTarget is null ? next : info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next;
        }
        return real;
    }

    public static bool IsInside(string path, string folder) =>
        path.Length > folder.Length && path[folder.Length] == Path.DirectorySeparatorChar && Comparer.Equals(path[..folder.Length], folder);
}
