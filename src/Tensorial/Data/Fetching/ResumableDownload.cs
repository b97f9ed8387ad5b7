using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace Tensorial.Data.Fetching;

/// <summary>
/// Downloads over HTTP. What an interrupted run left in the file is continued (RFC 9110, range requests); a transfer that breaks is taken
/// up again as long as it makes headway.
/// </summary>
internal sealed class ResumableDownload(HttpClient client, IProgress<Progress>? progress)
{
    /// <summary>No set here is larger than 170 MB; a server that sends more is not sending the set.</summary>
    private const long MostBytes = 1L << 30;

    /// <summary>Attempts in a row that may bring nothing before the next place is tried.</summary>
    private const int MostVain = 3;

    /// <summary>A server that is silent for so long has lost us.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>How long to wait before the first vain attempt is repeated; twice as long before the next.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Brings <paramref name="part"/> up to the whole of the download.</summary>
    /// <exception cref="IOException">None of the places could be reached, or none sent the file. What came is kept for the next
    /// time.</exception>
    public async Task RunAsync(DataDownload download, string part, CancellationToken cancel)
    {
        List<string> failures = [];
        foreach (Uri place in download.Places)
        {
            for (int vain = 0; vain < MostVain; )
            {
                long before = Length(part);
                try
                {
                    await ContinueAsync(place, part, download.Name, cancel).ConfigureAwait(false);
                    return;
                }
                catch (Exception failure) when (IsTransient(failure, cancel))
                {
                    vain = Length(part) > before ? 0 : vain + 1;
                    if (vain == MostVain || failure is HttpRequestException { StatusCode: not null })
                    {
                        failures.Add($"{place}: {failure.Message}");
                        break;
                    }
                    await Task.Delay(Pause * (1 << vain), cancel).ConfigureAwait(false);
                }
            }
        }
        string kept = Length(part) is > 0 and long bytes
            ? $" The {bytes:N0} bytes that came are kept, and the next run continues there."
            : "";
        throw new IOException($"{download.Name} could not be downloaded ({string.Join("; ", failures)}).{kept}");
    }

    private async Task ContinueAsync(Uri place, string part, string name, CancellationToken cancel)
    {
        long offset = Length(part);
        using HttpRequestMessage request = new(HttpMethod.Get, place);
        if (offset > 0)
            request.Headers.Range = new(offset, null);

        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Silence);
        using HttpResponseMessage response = await client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token)
            .ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            if (response.Content.Headers.ContentRange?.Length == offset)
                return;
            File.Delete(part);
            throw new IOException($"the {offset:N0} bytes that were there are not the beginning of this file");
        }
        response.EnsureSuccessStatusCode();

        // A server may answer a request for a range with the whole file, or with another range than the one asked for.
        bool isPart = response.StatusCode == HttpStatusCode.PartialContent;
        ContentRangeHeaderValue? range = isPart ? response.Content.Headers.ContentRange : null;
        if (isPart && range?.From != offset)
            throw new IOException($"asked for bytes from {offset:N0}, the server sent {range}");
        long start = isPart ? offset : 0;
        long? total = range?.Length ?? start + response.Content.Headers.ContentLength;
        if (total > MostBytes)
            throw new IOException($"the server has {total:N0} bytes, far more than the set");

        using Stream body = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
        using FileStream file = new(part, FileMode.OpenOrCreate, FileAccess.Write);
        file.SetLength(start);
        file.Position = start;
        long done = await CopyAsync(body, file, new Meter(name, total, progress), patience).ConfigureAwait(false);
        if (total is { } expected && done != expected)
            throw new IOException($"the connection ended after {done:N0} of {expected:N0} bytes");
    }

    private static async Task<long> CopyAsync(Stream body, FileStream file, Meter meter, CancellationTokenSource patience)
    {
        byte[] buffer = new byte[1 << 17];
        while (true)
        {
            patience.CancelAfter(Silence);
            int count = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
            if (count == 0)
                return file.Position;
            await file.WriteAsync(buffer.AsMemory(0, count), patience.Token).ConfigureAwait(false);
            if (file.Position > MostBytes)
                throw new IOException($"the server sends more than {MostBytes:N0} bytes, far more than the set");
            meter.Report(file.Position);
        }
    }

    /// <summary>Failures of the network or the server, not of this machine's disk and not the user's wish to stop.</summary>
    private static bool IsTransient(Exception failure, CancellationToken cancel) =>
        failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested);

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    /// <summary>Reports bytes, ten times a second at most.</summary>
    private sealed class Meter(string name, long? total, IProgress<Progress>? progress)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TimeSpan _next;

        public void Report(long done)
        {
            if (progress is null || (_clock.Elapsed < _next && done != total))
                return;
            _next = _clock.Elapsed + TimeSpan.FromMilliseconds(100);
            progress.Report(new($"Downloading {name}", done, total ?? 0, "bytes"));
        }
    }
}
