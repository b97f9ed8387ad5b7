using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>One run of the tool inside the test's process.</summary>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    public static async Task<CommandRun> Of(params string[] arguments)
    {
        using StringWriter output = new(),
            error = new();
        int code = await Tool.RunAsync(
            arguments,
            new Terminal(output, error, errorIsTerminal: false, color: false) { ShowsProgress = false }
        );
        return new(code, output.ToString(), error.ToString());
    }
}
