using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Tensorial.Data.Fetching;

namespace Tensorial.Tests.Data.Fetching;

/// <summary>The same over real sockets: a server on this machine that hangs up in the middle of its answers.</summary>
public sealed partial class RealTransferTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _file = new byte[3_000_000];
    private readonly List<long> _starts = [];

    public RealTransferTests()
    {
        new Random(7).NextBytes(_file);
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_connection_that_is_cut_is_taken_up_where_it_was_cut()
    {
        Task serving = ServeAsync(cuts: [1_000_000, 1_234_567, int.MaxValue]);
        using TemporaryFolder folder = new();
        int port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        PublishedSet set = new()
        {
            Name = "set",
            Title = "Set",
            Files = [new("file.bin", _file.Length, Convert.ToHexStringLower(SHA256.HashData(_file)))],
            Downloads = [new("file.bin", ["file.bin"], [new($"http://127.0.0.1:{port}/file.bin")])],
        };
        List<Progress> reports = [];
        using SocketsHttpHandler handler = new() { UseProxy = false };
        FetchOptions options = new()
        {
            Handler = handler,
            Pause = TimeSpan.Zero,
            Progress = new Recorder(reports),
        };
        await DataFetch.GetAsync(set, new Origin.Official(), folder.Path, options);
        await serving;

        Assert.Equal(_file, await File.ReadAllBytesAsync(Path.Combine(folder.Path, "file.bin")));
        Assert.Equal([0, 1_000_000, 2_234_567], _starts);
        Assert.Contains(new Progress("Downloading file.bin", _file.Length, _file.Length, "bytes"), reports);
    }

    private async Task ServeAsync(int[] cuts)
    {
        foreach (int cut in cuts)
        {
            using TcpClient client = await _listener.AcceptTcpClientAsync();
            await using NetworkStream stream = client.GetStream();
            Match range = RangeStart().Match(await ReadHeadersAsync(stream));
            int start = range.Success ? int.Parse(range.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
            _starts.Add(start);
            string status =
                start == 0 ? "200 OK" : $"206 Partial Content\r\nContent-Range: bytes {start}-{_file.Length - 1}/{_file.Length}";
            string headers = $"HTTP/1.1 {status}\r\nContent-Length: {_file.Length - start}\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(headers));
            await stream.WriteAsync(_file.AsMemory(start, Math.Min(cut, _file.Length - start)));
        }
    }

    private static async Task<string> ReadHeadersAsync(NetworkStream stream)
    {
        StringBuilder headers = new();
        byte[] one = new byte[1];
        while (!headers.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) == 1)
            headers.Append((char)one[0]);
        return headers.ToString();
    }

    [GeneratedRegex(@"Range: bytes=(\d+)-")]
    private static partial Regex RangeStart();

    private sealed class Recorder(List<Progress> reports) : IProgress<Progress>
    {
        public void Report(Progress value) => reports.Add(value);
    }
}
