using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Testing.Tracing;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>From the request, or message, of somebody who traces already to the stored video: one trace, over three processes.</summary>
public sealed class OneTrace
{
    /// <summary>As its route is written.</summary>
    private const string Request = "POST /v1/videos/";
    private const string Message = "renderfarm.intake process";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>What comes after another on a video's way, each with what it is a part of.</summary>
    private static readonly (string Name, string Under)[] Way =
    [
        ("queue", "enqueue"),
        ("lease", "enqueue"),
        ("plan", "attempt"),
        ("renderer start", "attempt"),
        ("loading", "attempt"),
        ("encoding_text", "attempt"),
        ("denoising", "attempt"),
        ("decoding", "attempt"),
        ("encoding_video", "attempt"),
        ("collect", "attempt"),
        ("upload", "attempt"),
    ];

    [Fact]
    public async Task Trace_OfAVideo_IsOneTreeWhosePartsAddUpToTheWhole()
    {
        await using var receiver = new OtlpReceiver();
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { More = receiver.Settings });
        var (trace, caller) = (ActivityTraceId.CreateRandom().ToString(), ActivitySpanId.CreateRandom().ToString());

        var id = await SubmitAsync(farm, $"00-{trace}-{caller}-01");

        await IsOneTreeAsync(receiver, farm, id, trace, caller, Request);
        // From a figure to the trace
        Assert.Contains($"trace_id=\"{trace}\"", await OpenMetricsAsync(farm, $"{farm.Url}/metrics"), StringComparison.Ordinal);
        Assert.Contains($"trace_id=\"{trace}\"", await OpenMetricsAsync(farm, farm.MetricsUrls["worker-1"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_OfAMessage_IsTheSameTreeUnderItsSendersSpan()
    {
        await using var services = await FarmOnServices.CreateAsync();
        await using var receiver = new OtlpReceiver();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup with { More = receiver.Settings });
        var (trace, caller) = (ActivityTraceId.CreateRandom().ToString(), ActivitySpanId.CreateRandom().ToString());
        await farm.EventuallyAsync(
            async () => (await services.Host.QueuesAsync()).Contains("renderfarm.intake"),
            Patience,
            "the queue door to be there"
        );

        await services.Host.PublishAsync(
            "renderfarm.intake",
            "shot-1",
            JsonSerializer.Serialize(SomeSeconds()),
            new Dictionary<string, string>
            {
                ["x-api-key"] = farm.Http.DefaultRequestHeaders.Authorization!.Parameter!,
                ["traceparent"] = $"00-{trace}-{caller}-01",
            },
            TestContext.Current.CancellationToken
        );
        var ids = new List<string>();
        await farm.EventuallyAsync(
            async () =>
            {
                var videos = (await farm.GetAsync("/v1/videos")).GetProperty("data").EnumerateArray();
                ids = [.. videos.Select(video => video.GetProperty("id").GetString()!)];
                return ids.Count > 0;
            },
            Patience,
            "the message to become a video"
        );

        await IsOneTreeAsync(receiver, farm, Assert.Single(ids), trace, caller, Message);
    }

    private static async Task IsOneTreeAsync(
        OtlpReceiver receiver,
        FarmUnderTest farm,
        string id,
        string trace,
        string caller,
        string request
    )
    {
        (string Name, string Under)[] way = [("enqueue", request), .. Way];
        var video = await farm.CompletedAsync(id, Patience);
        Assert.Equal(trace, video.GetProperty("trace_id").GetString());
        var spans = await Eventually.ValueAsync(
            () => Task.FromResult<List<Span>>([.. receiver.Spans.Where(span => span.TraceId == trace)]),
            seen => way.Append(("attempt", "lease")).Append(("complete", "")).All(step => seen.Exists(span => span.Name == step.Item1)),
            TimeSpan.FromSeconds(20),
            "every span of the video",
            TestContext.Current.CancellationToken
        );

        // One tree: it begins at the caller's span, and every other hangs from one that is there
        var byId = spans.ToDictionary(span => span.Id);
        Assert.Equal(request, Assert.Single(spans, span => span.ParentId == caller).Name);
        Assert.DoesNotContain(spans, span => span.ParentId != caller && !byId.ContainsKey(span.ParentId));
        foreach (var (name, under) in way.Append(("attempt", "lease")))
        {
            Assert.Equal((name, under), (name, byId[One(name).ParentId].Name));
        }

        var report = byId[One("complete").ParentId];
        Assert.Equal("POST /worker/v1/leases/{job}/complete", report.Name);
        Assert.Equal("upload", byId[report.ParentId].Name);
        Assert.Equal([One("queue").Id], One("lease").Links);
        Assert.Equal(["renderfarm-api", "renderfarm-worker"], spans.Select(span => span.Service).Distinct().Order());
        Assert.DoesNotContain(spans, span => span.ParentId != caller && span.Attributes.GetValueOrDefault("renderfarm.video.id") != id);

        // What was open while the job waited
        Assert.True(One("enqueue").End <= One("lease").Start);

        var whole = (One("upload").End - One("enqueue").Start).TotalSeconds;
        // The wait begins with the row, inside the span that writes it
        var twice = Math.Max(0, (One("enqueue").End - One("queue").Start).TotalSeconds);
        var parts = way.Sum(step => One(step.Name).Duration.TotalSeconds) - twice;
        Assert.InRange(parts / whole, 0.95, 1.05);

        Span One(string name) => Assert.Single(spans, span => span.Name == name);
    }

    private static async Task<string> OpenMetricsAsync(FarmUnderTest farm, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        using var page = await farm.Http.SendAsync(request);
        return await page.Content.ReadAsStringAsync();
    }

    /// <summary>Long enough that what a busy host takes between two spans is no twentieth of it.</summary>
    private static Dictionary<string, object> SomeSeconds() => new(Requests.Quick()) { ["steps"] = 100 };

    private static async Task<string> SubmitAsync(FarmUnderTest farm, string traceParent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos") { Content = JsonContent.Create(SomeSeconds()) };
        request.Headers.Add("traceparent", traceParent);
        using var reply = await farm.Http.SendAsync(request);
        reply.EnsureSuccessStatusCode();
        return (await reply.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }
}
