using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Batches;

public sealed class BatchTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private TestFarm Farm => fixture.Farm;

    [Fact]
    public async Task Create_JsonLines_TakesEachLineAsAVideo()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var batch = await CreateAsync(
            tenant,
            "\uFEFF{\"prompt\":\"one\",\"seed\":1}\r\n\n  {\"prompt\":\"two\",\"steps\":4}  "
                + "\n{\"prompt\":\"three\",\"metadata\":{\"shot\":\"3\"}}"
        );
        Assert.Equal(
            ("batch", "queued", 3, 3),
            ((string)batch["object"]!, (string)batch["status"]!, (int)batch["total"]!, (int)batch["counts"]!["queued"]!)
        );

        var manifest = await ManifestAsync(tenant, batch);
        Assert.Equal(
            [(1, "one"), (3, "two"), (4, "three")],
            manifest.Select(line => ((int)line["line"]!, (string)line["video"]!["prompt"]!))
        );
        Assert.Equal("3", (string)manifest[2]["video"]!["metadata"]!["shot"]!);
        Assert.All(manifest, line => Assert.Null(line["content"]));
        var events = await (await tenant.GetAsync($"/v1/videos/{manifest[0]["id"]}")).JsonAsync();
        Assert.Equal("queued", (string)events["status"]!);
    }

    [Fact]
    public async Task List_OfOwnBatches_IsPagedNewestFirst()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        List<string> made = [];
        foreach (var prompt in new[] { "one", "two", "three" })
        {
            made.Add((string)(await CreateAsync(tenant, $"{{\"prompt\":\"{prompt}\"}}\n{{\"prompt\":\"more\"}}"))["id"]!);
        }

        var first = await (await tenant.GetAsync("/v1/batches?limit=2")).JsonAsync();
        var second = await (await tenant.GetAsync($"/v1/batches?limit=2&after={first["last_id"]}")).JsonAsync();
        var oldest = await (await tenant.GetAsync("/v1/batches?order=asc")).JsonAsync();

        Assert.Equal(("list", true), ((string)first["object"]!, (bool)first["has_more"]!));
        Assert.Equal((made[2], made[1]), ((string)first["first_id"]!, (string)first["last_id"]!));
        Assert.All(first["data"]!.AsArray(), batch => Assert.Equal((2, 2), ((int)batch!["total"]!, (int)batch["counts"]!["queued"]!)));
        Assert.Equal((false, made[0]), ((bool)second["has_more"]!, (string)Assert.Single(second["data"]!.AsArray())!["id"]!));
        Assert.Equal(made, oldest["data"]!.AsArray().Select(batch => (string)batch!["id"]!));
        Assert.Empty((await (await (await Farm.NewTenantAsync("read")).GetAsync("/v1/batches")).JsonAsync())["data"]!.AsArray());
    }

    [Theory]
    [InlineData("limit=101", "limit")]
    [InlineData("after=video_1", "after")]
    [InlineData("order=up", "order")]
    [InlineData("aftr=x", "aftr")]
    public async Task List_AQueryThatMakesNoSense_IsRefusedByName(string query, string param)
    {
        var refusal = await (await Farm.User.GetAsync($"/v1/batches?{query}")).RefusalAsync();
        Assert.Equal((400, param), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task Create_AMatrix_TakesEveryCombinationOverTheBase()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var reply = await tenant.PostAsJsonAsync(
            "/v1/batches",
            new
            {
                matrix = new
                {
                    prompt = new[] { "a ball", "a cube" },
                    seed = new[] { 1, 2, 3 },
                    size = new[] { "64x64" },
                },
                @base = new { steps = 3, negative_prompt = "" },
                metadata = new { film = "x" },
            }
        );
        var batch = await reply.JsonAsync();
        Assert.Equal((6, "x"), ((int)batch["total"]!, (string)batch["metadata"]!["film"]!));
        var videos = (await ManifestAsync(tenant, batch)).Select(line => line["video"]!).ToList();
        Assert.Equal(
            [("a ball", 1), ("a ball", 2), ("a ball", 3), ("a cube", 1), ("a cube", 2), ("a cube", 3)],
            videos.Select(video => ((string)video["prompt"]!, (int)video["seed"]!))
        );
        Assert.All(videos, video => Assert.Equal(("64x64", 3), ((string)video["size"]!, (int)video["steps"]!)));
    }

    [Fact]
    public async Task Create_AFile_IsReadAsJsonLines()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        using var form = new MultipartFormDataContent
        {
            { new StringContent("{\"prompt\":\"one\"}\n{\"prompt\":\"two\"}\n"), "file", "shots.jsonl" },
            { new StringContent("x"), "metadata[film]" },
        };
        var batch = await (await tenant.PostAsync("/v1/batches", form)).JsonAsync();
        Assert.Equal((2, "x"), ((int)batch["total"]!, (string)batch["metadata"]!["film"]!));
    }

    [Fact]
    public async Task Create_SomeLinesWrong_NamesEachAndTakesNone()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var reply = await PostAsync(
            tenant,
            "{\"prompt\":\"one\"}\n{\"prompt\":\"two\",\"stepps\":3}\nnonsense\n{\"prompt\":\"four\",\"size\":\"63x64\"}\n{\"prompt\":\"fiv"
                + "e\",\"model\":\"none\"}\n[]"
        );
        var refusal = await reply.RefusalAsync();
        Assert.Equal((400, "invalid_value", "file"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains("5 of 6", refusal.Message, StringComparison.Ordinal);
        var lines = (await reply.JsonAsync())["error"]!["lines"]!.AsArray();
        Assert.Equal(
            [(2, "unknown_parameter"), (3, "invalid_request"), (4, "invalid_value"), (5, "unknown_model"), (6, "invalid_request")],
            lines.Select(line => ((int)line!["line"]!, (string)line["code"]!))
        );
        Assert.Empty((await (await tenant.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n")]
    [InlineData("{\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"https://example.org/a.png\"}}")]
    [InlineData("{\"prompt\":\"\\ud800\"}")]
    [InlineData("{\"prompt\":\"a\",\"prompt\":\"b\"}")]
    public async Task Create_LinesThatHoldNoVideo_AreRefused(string lines) =>
        Assert.Equal(400, (await (await PostAsync(Farm.User, lines)).RefusalAsync()).Status);

    [Theory]
    [InlineData("""{}""", "matrix")]
    [InlineData("""{"matrix":[]}""", "matrix")]
    [InlineData("""{"matrix":{}}""", "matrix")]
    [InlineData("""{"matrix":{"prompt":"a"}}""", "matrix.prompt")]
    [InlineData("""{"matrix":{"prompt":[]}}""", "matrix.prompt")]
    [InlineData("""{"matrix":{"prompt":["a"]},"base":{"prompt":"b"}}""", "base.prompt")]
    [InlineData("""{"matrix":{"prompt":["a"]},"bases":{}}""", "bases")]
    [InlineData("""{"matrix":{"prompt":["a"],"seed":[null,-1]}}""", "file")]
    public async Task Create_AMatrixThatIsNone_IsRefusedByName(string body, string param)
    {
        var refusal = await (
            await Farm.User.PostAsync("/v1/batches", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();
        Assert.Equal((400, param), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task Create_OneLineTooMany_IsRefusedAndNothingTaken()
    {
        var refusal = await (await PostAsync(Farm.User, string.Concat(Enumerable.Repeat("{\"prompt\":\"a\"}\n", 10_001)))).RefusalAsync();
        Assert.Contains("more than 10000", refusal.Message, StringComparison.Ordinal);
        var matrix = await Farm.User.PostAsJsonAsync(
            "/v1/batches",
            new { matrix = new { prompt = Enumerable.Repeat("a", 101), seed = Enumerable.Range(0, 100) } }
        );
        Assert.Equal("matrix", (await matrix.RefusalAsync()).Param);
    }

    [Fact]
    public async Task Create_UnderOneIdempotencyKey_IsOneBatch()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        var first = await (await PostAsync(tenant, "{\"prompt\":\"a\"}", ("Idempotency-Key", "b1"))).JsonAsync();
        var again = await (await PostAsync(tenant, "{\"prompt\":\"a\"}", ("Idempotency-Key", "b1"))).JsonAsync();
        Assert.Equal((string)first["id"]!, (string)again["id"]!);
        var other = await (await PostAsync(tenant, "{\"prompt\":\"b\"}", ("Idempotency-Key", "b1"))).RefusalAsync();
        Assert.Equal((409, "idempotency_conflict"), (other.Status, other.Code));
        var unmarked = await (await PostAsync(tenant, "{\"prompt\":\"c\"}")).JsonAsync();
        var retried = await (await PostAsync(tenant, "{\"prompt\":\"c\"}", ("X-Stainless-Retry-Count", "1"))).JsonAsync();
        Assert.Equal((string)unmarked["id"]!, (string)retried["id"]!);
        Assert.Equal(2, (await (await tenant.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Create_MoreThanTheQuota_TakesNone()
    {
        var made = await (
            await Farm.User.PostAsJsonAsync(
                "/v1/keys",
                new
                {
                    name = "small",
                    scopes = new[] { "submit", "read" },
                    quotas = new { queued = 2 },
                }
            )
        ).JsonAsync();
        var tenant = Farm.ClientWith((string)made["key"]!);
        var refusal = await (await PostAsync(tenant, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}")).RefusalAsync();
        Assert.Equal((429, "quota_exceeded"), (refusal.Status, refusal.Code));
        Assert.Empty((await (await tenant.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray());
    }

    [Fact]
    public async Task Cancel_WithOneAtWork_StopsTheQueuedAndAsksForTheOther()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        var batch = await CreateAsync(farm.User, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}");
        var lease = (await farm.LeaseAsync(worker))!;
        await farm.RenewAsync(lease);
        Assert.Equal("in_progress", (string)(await GetAsync(farm.User, batch))["status"]!);

        var stopped = await (await farm.User.PostAsync($"/v1/batches/{batch["id"]}/cancel", null)).JsonAsync();
        Assert.Equal(
            (2, 1, 66),
            ((int)stopped["counts"]!["cancelled"]!, (int)stopped["counts"]!["in_progress"]!, (int)stopped["progress"]!)
        );
        Assert.True((bool)(await (await farm.RenewAsync(lease)).JsonAsync())["cancel"]!);
        (await farm.CompleteAsync(lease, await farm.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();

        var over = await GetAsync(farm.User, batch);
        Assert.Equal(("cancelled", 100, 1), ((string)over["status"]!, (int)over["progress"]!, (int)over["counts"]!["completed"]!));
        var manifest = await ManifestAsync(farm.User, batch);
        Assert.Equal($"/v1/videos/{lease.JobId}/content", (string)manifest.Single(line => (string)line["id"]! == lease.JobId)["content"]!);
        Assert.Equal(2, manifest.Count(line => (string?)line["video"]!["error"]?["code"] == "cancelled"));
    }

    [Fact]
    public async Task Delete_WithOneAtWork_StopsItAndHidesTheBatchAndItsVideos()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        var batch = await CreateAsync(farm.User, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}", ("Idempotency-Key", "b1"));
        var lease = (await farm.LeaseAsync(worker))!;
        await farm.RenewAsync(lease);

        var deleted = await (await farm.User.DeleteAsync($"/v1/batches/{batch["id"]}")).JsonAsync();

        Assert.Equal(
            ((string)batch["id"]!, "batch.deleted", true),
            ((string)deleted["id"]!, (string)deleted["object"]!, (bool)deleted["deleted"]!)
        );
        foreach (var path in (string[])["", "/manifest", "/videos"])
        {
            Assert.Equal(404, (await (await farm.User.GetAsync($"/v1/batches/{batch["id"]}{path}")).RefusalAsync()).Status);
        }

        Assert.Equal(404, (await (await farm.User.DeleteAsync($"/v1/batches/{batch["id"]}")).RefusalAsync()).Status);
        Assert.Empty((await (await farm.User.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray());
        Assert.True((bool)(await (await farm.RenewAsync(lease)).JsonAsync())["cancel"]!);
        Assert.Null(await farm.LeaseAsync(worker));
        // Its key may be used again: what it marked is gone
        Assert.NotEqual(
            (string)batch["id"]!,
            (string)(await CreateAsync(farm.User, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}", ("Idempotency-Key", "b1")))["id"]!
        );
    }

    [Fact]
    public async Task Videos_OfABatch_AreItsLinesInPages()
    {
        var tenant = await Farm.NewTenantAsync("submit", "read");
        await CreateAsync(tenant, "{\"prompt\":\"of another batch\"}");
        var batch = await CreateAsync(tenant, "{\"prompt\":\"one\"}\n{\"prompt\":\"two\"}\n{\"prompt\":\"three\"}");

        var first = await PageAsync("limit=2");
        var second = await PageAsync($"limit=2&after={first["last_id"]}");

        Assert.Equal(["one", "two"], Prompts(first));
        Assert.Equal((true, false), ((bool)first["has_more"]!, (bool)second["has_more"]!));
        Assert.Equal(["three"], Prompts(second));
        Assert.Equal(["three", "two", "one"], Prompts(await PageAsync("order=desc")));

        // What has been deleted since still marks its page
        (await tenant.DeleteAsync($"/v1/videos/{first["last_id"]}")).EnsureSuccessStatusCode();
        Assert.Equal(["three"], Prompts(await PageAsync($"after={first["last_id"]}")));
        Assert.Equal(["one", "three"], Prompts(await PageAsync("")));

        async Task<JsonNode> PageAsync(string query) =>
            await (await tenant.GetAsync($"/v1/batches/{batch["id"]}/videos?{query}")).JsonAsync();

        static string[] Prompts(JsonNode page) => [.. page["data"]!.AsArray().Select(video => (string)video!["prompt"]!)];
    }

    [Fact]
    public async Task Videos_AfterOneOfAnotherBatch_IsRefusedByName()
    {
        var (batch, other) = (await CreateAsync(Farm.User, "{\"prompt\":\"a\"}"), await CreateAsync(Farm.User, "{\"prompt\":\"b\"}"));
        var stranger = (string)(await ManifestAsync(Farm.User, other))[0]["id"]!;

        var refusal = await (await Farm.User.GetAsync($"/v1/batches/{batch["id"]}/videos?after={stranger}")).RefusalAsync();

        Assert.Equal((400, "after"), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task Batches_OfAnotherTenant_AreNotFound()
    {
        var batch = await CreateAsync(Farm.User, "{\"prompt\":\"a\"}");
        var other = await Farm.NewTenantAsync("submit", "read");
        foreach (var path in (string[])["", "/manifest", "/videos"])
        {
            Assert.Equal(404, (await (await other.GetAsync($"/v1/batches/{batch["id"]}{path}")).RefusalAsync()).Status);
        }

        Assert.Equal(404, (await (await other.PostAsync($"/v1/batches/{batch["id"]}/cancel", null)).RefusalAsync()).Status);
        Assert.Equal(404, (await (await other.DeleteAsync($"/v1/batches/{batch["id"]}")).RefusalAsync()).Status);
        Assert.Equal("queued", (string)(await GetAsync(Farm.User, batch))["status"]!);
    }

    private static async Task<JsonNode> CreateAsync(HttpClient client, string lines, params (string Name, string Value)[] headers)
    {
        var reply = await PostAsync(client, lines, headers);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return await reply.JsonAsync();
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string lines, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/batches")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(lines))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/jsonl") },
            },
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await client.SendAsync(request);
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, JsonNode batch) =>
        await (await client.GetAsync($"/v1/batches/{batch["id"]}")).JsonAsync();

    private static async Task<List<JsonNode>> ManifestAsync(HttpClient client, JsonNode batch) =>
        [
            .. (await client.GetStringAsync($"/v1/batches/{batch["id"]}/manifest"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!),
        ];
}
