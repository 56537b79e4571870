using System.Net;
using System.Text;

namespace RenderFarm.Artifacts.Tests;

/// <summary>Answers everything alike, as the page of a proxy does whose server is gone.</summary>
internal sealed class OddServer : IDisposable
{
    private readonly HttpListener _listener = new();

    public OddServer(int port, HttpStatusCode status, string body)
    {
        Address = $"http://127.0.0.1:{port}";
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _ = AnswerAsync(status, Encoding.UTF8.GetBytes(body));
    }

    public string Address { get; }

    public void Dispose() => _listener.Close();

    private async Task AnswerAsync(HttpStatusCode status, byte[] body)
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                context.Response.StatusCode = (int)status;
                context.Response.Close(context.Request.HttpMethod == "HEAD" ? [] : body, willBlock: false);
            }
        }
        catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
        {
            // Nobody is to be answered any more
        }
    }
}
