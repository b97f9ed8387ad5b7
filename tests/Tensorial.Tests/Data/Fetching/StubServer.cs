using System.Net;

namespace Tensorial.Tests.Data.Fetching;

/// <summary>A web server without a network: files by URL, ranges, and transfers that break after so many bytes.</summary>
internal sealed class StubServer : HttpMessageHandler
{
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>After how many bytes each next transfer breaks; when none are left, transfers go through.</summary>
    public Queue<int> Breaks { get; } = [];

    public bool KnowsRanges { get; init; } = true;

    /// <summary>What was asked for, with the first byte of the range.</summary>
    public List<(string Url, long From)> Requests { get; } = [];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string url = request.RequestUri!.ToString();
        long from = request.Headers.Range?.Ranges.Single().From ?? 0;
        Requests.Add((url, from));
        if (!Files.TryGetValue(url, out byte[]? file))
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));
        if (!KnowsRanges)
            from = 0;

        bool isThere = from < file.Length;
        byte[] body = isThere ? file[(int)from..] : [];
        bool breaks = Breaks.TryDequeue(out int most) && most < body.Length;
        HttpResponseMessage response = new(
            from == 0 ? HttpStatusCode.OK
            : isThere ? HttpStatusCode.PartialContent
            : HttpStatusCode.RequestedRangeNotSatisfiable
        );
        response.Content = new StreamContent(breaks ? new BreakingStream(body[..most]) : new MemoryStream(body));
        response.Content.Headers.ContentLength = body.Length;
        if (from > 0)
            response.Content.Headers.ContentRange = isThere ? new(from, file.Length - 1, file.Length) : new(file.Length);
        return Task.FromResult(response);
    }

    private sealed class BreakingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = Read(buffer.Span);
            return count > 0 ? new(count) : throw new IOException("the cable was pulled");
        }
    }
}
