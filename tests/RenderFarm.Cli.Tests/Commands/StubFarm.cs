using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>A farm on a loopback port that answers what a test wrote down, and remembers what it was asked.</summary>
public sealed class StubFarm : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly Func<HttpListenerRequest, string, (int Status, string Body)> _answer;
    private readonly Task _serving;

    /// <param name="answer">From a request and its body.</param>
    public StubFarm(Func<HttpListenerRequest, string, (int Status, string Body)> answer)
    {
        _answer = answer;
        (_listener, Url) = Listen();
        _serving = ServeAsync();
    }

    public string Url { get; }
    public ConcurrentQueue<(string Line, string? Key, string? IdempotencyKey, string Body)> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        // Without Stop before it: what is stopped binds its port once more in order to close, and somebody may have that by then.
        _listener.Close();
        await _serving;
    }

    /// <summary>On a port that was free a moment ago; another one when somebody else was quicker.</summary>
    private static (HttpListener Listener, string Url) Listen()
    {
        for (var tries = 1; ; tries++)
        {
            string url;
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
            }

            var listener = new HttpListener();
            listener.Prefixes.Add(url + "/");
            try
            {
                listener.Start();
                return (listener, url);
            }
            catch (HttpListenerException) when (tries < 10)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream, Encoding.Latin1);
                var body = await reader.ReadToEndAsync();
                Requests.Enqueue(
                    (
                        $"{context.Request.HttpMethod} {context.Request.RawUrl}",
                        context.Request.Headers["Authorization"],
                        context.Request.Headers["Idempotency-Key"],
                        body
                    )
                );
                var (status, text) = _answer(context.Request, body);
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/json";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }
}
