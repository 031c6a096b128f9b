using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A small HTTP proxy: it tunnels, or answers what the test says.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> clients = [];
    private readonly Task serving;

    /// <summary>Listens.</summary>
    public TestProxy()
    {
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>Its address.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>The heads of the requests.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answered in place of a tunnel; null = it tunnels.</summary>
    public string? Answer { get; init; }

    /// <summary>The name and password that it wants; null = none.</summary>
    public string? Wanted { get; init; }

    /// <summary>True: it takes the request and never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Completes with the first request.</summary>
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first client has closed.</summary>
    public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Closes all.</summary>
    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (var client in clients)
        {
            client.Dispose();
        }
        await serving;
    }

    private async Task ServeAsync()
    {
        var tunnels = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                clients.Add(client);
                tunnels.Add(ServeAsync(client));
            }
        }
        catch (Exception error) when (error is SocketException or InvalidOperationException)
        {
            // Closed.
        }
        await Task.WhenAll(tunnels);
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            var head = await ReadHeadAsync(stream);
            Requests.Enqueue(head);
            Asked.TrySetResult();
            var given = Convert.ToBase64String(Encoding.UTF8.GetBytes(Wanted ?? ""));
            if (IsSilent)
            {
                await stream.CopyToAsync(Stream.Null); // Until the client closes.
            }
            else if (Answer is not null)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(Answer));
            }
            else if (Wanted is not null && !head.Contains($"Proxy-Authorization: Basic {given}\r\n"))
            {
                await stream.WriteAsync(
                    "HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"u8.ToArray()
                );
            }
            else
            {
                await TunnelAsync(stream, head);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // One of the two has gone.
        }
        finally
        {
            client.Dispose();
            Closed.TrySetResult();
        }
    }

    /// <summary>Whatever host is named: the hub is on this machine.</summary>
    private async Task TunnelAsync(NetworkStream stream, string head)
    {
        var port = int.Parse(head.Split(' ')[1].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        using var target = new TcpClient();
        clients.Add(target);
        await target.ConnectAsync(IPAddress.Loopback, port);
        await stream.WriteAsync("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n"u8.ToArray());
        await Task.WhenAny(stream.CopyToAsync(target.GetStream()), target.GetStream().CopyToAsync(stream));
    }

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}
