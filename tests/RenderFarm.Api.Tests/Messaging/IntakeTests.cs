using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Api.Tests.Clients;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Messaging;

public sealed class IntakeTests(IntakeFarm intake) : IClassFixture<IntakeFarm>, IAsyncLifetime
{
    private TestFarm Farm => intake.Farm;

    public async ValueTask InitializeAsync() => await intake.OpenAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Intake_AThousandJobsFromAnotherLanguage_AreAThousandVideosAndEvents()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var said = await NodeProgram.RunAsync("producer.cjs", intake.Broker.AbsoluteUri, Key(tenant), "1000");

        Assert.Equal((1000, 0), ((int)said["videos"]!, (int)said["doubled"]!));
        Assert.Equal(1000, (int)said["told"]!);
        Assert.Equal(1000, (await AllVideosAsync(tenant)).Distinct().Count());
    }

    [Fact]
    public async Task Intake_TheSameMessageTwice_IsOneVideo()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var good = """{"prompt":"a ball"}"""u8.ToArray();
        await intake.SendAsync("twice", good, Key(tenant));
        await intake.SendAsync("twice", good, Key(tenant));
        await Eventually.TrueAsync(async () => (await AllVideosAsync(tenant)).Count == 1, TimeSpan.FromSeconds(20), "the video");
        var other = await intake.SendAsync("twice", """{"prompt":"another ball"}"""u8.ToArray(), Key(tenant));
        Assert.Equal("idempotency_conflict", (await intake.RejectedAsync(other)).Code);
        Assert.Single(await AllVideosAsync(tenant));
    }

    [Theory]
    [InlineData(null, """{"prompt":"a ball"}""", "key", "application/json", "invalid_value", "message_id")]
    [InlineData("a", """{"prompt":"a ball"}""", "rf_wrong", "application/json", "invalid_api_key", null)]
    [InlineData("a", """{"prompt":"a ball"}""", null, "application/json", "invalid_api_key", null)]
    [InlineData("a", """{"prompt":"a ball","stepps":3}""", "key", "application/json", "unknown_parameter", "stepps")]
    [InlineData("a", """{"prompt":"a ball","model":"none"}""", "key", "application/json", "unknown_model", "model")]
    [InlineData("a", "{\"prompt\":", "key", "application/json", "invalid_request", null)]
    [InlineData("a", "\u0001\u0002", "key", "application/json", "invalid_request", null)]
    [InlineData("a", "", "key", "application/json", "invalid_request", null)]
    [InlineData("a", "prompt=a", "key", "application/x-www-form-urlencoded", "unsupported_media_type", null)]
    public async Task Intake_AMessageThatCantBecomeAJob_KeepsItsBodyAndSaysWhy(
        string? id,
        string body,
        string? key,
        string type,
        string code,
        string? param
    )
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var sent = await intake.SendAsync(
            id,
            Encoding.UTF8.GetBytes(body),
            key == "key" ? Key(tenant) : key,
            type,
            ("x-shot", "7"),
            ("CC", new List<object> { "stray" })
        );

        var rejected = await intake.RejectedAsync(sent);
        Assert.Equal(
            (body, code, param, id, type),
            (rejected.Body, rejected.Code, rejected.Param, rejected.Properties.MessageId, rejected.Properties.ContentType)
        );
        Assert.NotEmpty(rejected.Headers["x-reason"]);
        Assert.Equal("7", rejected.Headers["x-shot"]);
        Assert.DoesNotContain("x-api-key", rejected.Headers.Keys);
        Assert.Empty(await AllVideosAsync(tenant));
    }

    [Fact]
    public async Task Intake_ExpiringMessageWithManyHeaders_RestsInTheRejectedQueueAllTheSame()
    {
        var sent = await intake.SendAsync(
            "m",
            "{}"u8.ToArray(),
            "no",
            null,
            ("big", new string('x', 100_000)),
            ("deep", new Dictionary<string, object?> { ["a"] = 1 })
        );
        var rejected = await intake.RejectedAsync(sent);
        Assert.Equal(("invalid_api_key", null), (rejected.Code, rejected.Properties.Expiration));
        Assert.DoesNotContain("big", rejected.Headers.Keys);
        Assert.Contains("deep", rejected.Headers.Keys);
    }

    [Fact]
    public async Task Intake_AKeyWithoutScope_IsRejectedAndTheNextMessageGoesOn()
    {
        var (reader, tenant) = (await Farm.NewTenantAsync("read"), await Farm.NewTenantAsync("submit", "read"));
        var refused = await intake.SendAsync("r1", """{"prompt":"a ball"}"""u8.ToArray(), Key(reader));
        await intake.SendAsync("r2", """{"prompt":"a ball"}"""u8.ToArray(), Key(tenant));
        Assert.Equal("missing_scope", (await intake.RejectedAsync(refused)).Code);
        await Eventually.TrueAsync(async () => (await AllVideosAsync(tenant)).Count == 1, TimeSpan.FromSeconds(20), "the good one");
    }

    [Fact]
    public async Task Intake_BrokenBytes_AreAllRejectedAndNothingIsLeftUnhandled()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var random = new Random(20);
        string[] seeds =
        [
            """{"prompt":"a ball","metadata":{"a":"b"},"seed":"x"}""",
            """{"prompt":"\ud800"}""",
            """[1,2]""",
            """{"prompt":null}""",
        ];
        var sent = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(seeds[i % seeds.Length]);
            for (var flips = random.Next(1, 6); flips > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            sent.Add(await intake.SendAsync($"fuzz-{i}", bytes, Key(tenant)));
        }

        foreach (var one in sent)
        {
            Assert.NotEqual("internal_error", (await intake.RejectedAsync(one)).Code);
        }
    }

    private static string Key(HttpClient tenant) => tenant.DefaultRequestHeaders.Authorization!.Parameter!;

    private static async Task<List<string>> AllVideosAsync(HttpClient client)
    {
        var (ids, after) = (new List<string>(), "");
        JsonNode page;
        do
        {
            page = await (await client.GetAsync($"/v1/videos?limit=100{after}")).JsonAsync();
            ids.AddRange(page["data"]!.AsArray().Select(video => (string)video!["id"]!));
            after = $"&after={(string?)page["last_id"]}";
        } while ((bool)page["has_more"]!);
        return ids;
    }
}
