using System.Net.Http.Json;
using RenderFarm.Api.Tests.Webhooks;
using RenderFarm.Testing;
using RenderFarm.Testing.Tracing;

namespace RenderFarm.Api.Tests.Tracing;

public sealed class VideoTraceTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Caller = $"00-{Trace}-b7ad6b7169203331-01";

    [Fact]
    public async Task Webhook_OfATracedVideo_NamesItsSpanToTheReceiver()
    {
        await using var spans = new OtlpReceiver();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var farm = await TestFarm.StartAsync(
            [.. spans.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), "--Outbound:AllowedNetworks:0=127.0.0.0/8"]
        );
        await farm.RegisterWorkerAsync();

        var id = (string)(await SubmitAsync(farm, receiver.Address))["id"]!;
        var told = (await receiver.NextAsync()).TraceParent.Split('-');

        Assert.Equal(Trace, told[1]);
        var webhook = await Eventually.ValueAsync(
            () => Task.FromResult(spans.Spans.FirstOrDefault(span => span.Name == "webhook" && span.Id == told[2])),
            seen => seen is not null,
            TimeSpan.FromSeconds(20),
            "the span of the webhook"
        );
        Assert.Equal((Trace, id), (webhook!.TraceId, webhook.Attributes["renderfarm.video.id"]));
        Assert.Equal("video.queued", webhook.Attributes["renderfarm.event"]);
        Assert.Equal("enqueue", spans.Spans.Single(span => span.Id == webhook.ParentId).Name);
    }

    [Fact]
    public async Task Video_WhereNobodyWantsSpans_HasATraceThatLeaseAndWebhookGoOnWith()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var farm = await TestFarm.StartAsync("--Outbound:AllowedNetworks:0=127.0.0.0/8");
        var worker = await farm.RegisterWorkerAsync();

        var video = await SubmitAsync(farm, receiver.Address);
        Assert.Equal(Trace, (string)video["trace_id"]!);
        Assert.Equal(Trace, (await receiver.NextAsync()).TraceParent.Split('-')[1]);
        Assert.Equal(Trace, (await farm.LeaseAsync(worker))!.TraceParent!.Split('-')[1]);
    }

    [Fact]
    public async Task Error_OfATracedRequest_NamesTheTrace()
    {
        await using var farm = await TestFarm.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/videos/none") { Headers = { { "traceparent", Caller } } };

        var body = await (await farm.User.SendAsync(request)).JsonAsync();
        Assert.Equal(Trace, (string)body["traceId"]!);
    }

    private static async Task<System.Text.Json.Nodes.JsonNode> SubmitAsync(TestFarm farm, Uri webhook)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos")
        {
            Content = JsonContent.Create(new { prompt = "a ball", webhook_url = webhook }),
            Headers = { { "traceparent", Caller } },
        };
        return await (await farm.User.SendAsync(request)).JsonAsync();
    }
}
