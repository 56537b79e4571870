using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace RenderFarm.Api.Tests.Webhooks;

/// <summary>Somebody's server: keeps what it is sent and answers as told.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Received> _got = Channel.CreateUnbounded<Received>();

    private WebhookReceiver(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    /// <summary>The answer to the nth request, from 1; a location makes it a redirect.</summary>
    public Func<int, (int Status, string? Location)> Answer { get; set; } = _ => (200, null);

    public int Count => _got.Reader.Count;

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        var number = 0;
        app.Run(async context =>
        {
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            var (status, location) = receiver.Answer(Interlocked.Increment(ref number));
            context.Response.StatusCode = status;
            context.Response.Headers.Location = location;
            await receiver._got.Writer.WriteAsync(
                new Received(
                    context.Request.Headers["webhook-id"].ToString(),
                    context.Request.Headers["webhook-timestamp"].ToString(),
                    context.Request.Headers["webhook-signature"].ToString(),
                    copy.ToArray()
                )
                {
                    TraceParent = context.Request.Headers["traceparent"].ToString(),
                }
            );
        });
        await app.StartAsync();
        return receiver;
    }

    public async Task<Received> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await _got.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

internal sealed record Received(string Id, string Timestamp, string Signature, byte[] Body)
{
    public required string TraceParent { get; init; }
}
