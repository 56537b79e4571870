using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RenderFarm.Browser.Tests;

/// <summary>A page of the farm, headers and all, with a script that is not its own: what somebody would plant there.</summary>
internal sealed class SpoiltPage : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _farm;
    private readonly Task _serving;

    /// <param name="farm">The API's address.</param>
    /// <param name="planted">HTML at the end of the page.</param>
    public SpoiltPage(Uri farm, string planted)
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
        probe.Stop();
        _farm = new HttpClient { BaseAddress = farm };
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = ServeAsync(planted);
    }

    public Uri Address { get; }

    public void Dispose()
    {
        _listener.Close();
        _serving.GetAwaiter().GetResult();
        _farm.Dispose();
    }

    private async Task ServeAsync(string planted)
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // Closed
            }

            using var answer = await _farm.GetAsync(context.Request.RawUrl);
            var content = await answer.Content.ReadAsByteArrayAsync();
            if (answer.Content.Headers.ContentType?.MediaType == "text/html")
            {
                content = Encoding.UTF8.GetBytes(
                    Encoding.UTF8.GetString(content).Replace("</body>", planted + "</body>", StringComparison.Ordinal)
                );
            }

            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            foreach (var name in new[] { "Content-Security-Policy", "X-Content-Type-Options" })
            {
                if (answer.Headers.TryGetValues(name, out var values))
                {
                    context.Response.Headers[name] = string.Join(", ", values);
                }
            }

            try
            {
                await context.Response.OutputStream.WriteAsync(content);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
            {
                // The browser has gone with its page.
            }
        }
    }
}
