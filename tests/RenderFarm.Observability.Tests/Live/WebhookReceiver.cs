using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Observability.Tests.Live;

/// <summary>Somebody's server: takes every webhook but those under <c>/refused</c>.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly Task _loop;

    private WebhookReceiver(HttpListener listener, Uri address)
    {
        (_listener, Address) = (listener, address);
        _loop = Task.Run(AnswerAsync);
    }

    public Uri Address { get; }

    /// <summary>Path and body of all that came.</summary>
    public ConcurrentQueue<(string Path, string Body)> Received { get; } = new();

    public static WebhookReceiver Start()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
        free.Stop();
        var listener = new HttpListener { Prefixes = { address.ToString() } };
        listener.Start();
        return new WebhookReceiver(listener, address);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                Received.Enqueue((context.Request.Url!.AbsolutePath, await reader.ReadToEndAsync()));
                context.Response.StatusCode = context.Request.Url.AbsolutePath == "/refused" ? 500 : 200;
                context.Response.Close();
            }
        }
        catch (Exception error) when (error is ObjectDisposedException or HttpListenerException)
        {
            // The end.
        }
    }
}
