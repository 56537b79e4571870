using System.Net;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Hosting;

/// <summary>What is open to everybody: health, metrics, the description of the interface.</summary>
public sealed class PublicPagesTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;
    private readonly HttpClient _anyone = fixture.Farm.ClientWith(null);

    [Fact]
    public async Task Health_OfAFarmThatWorks_IsHealthy()
    {
        Assert.Equal("healthy", (string)(await (await _anyone.GetAsync("/health/live")).JsonAsync())["status"]!);
        var ready = await (await _anyone.GetAsync("/health/ready")).JsonAsync();
        Assert.Equal("healthy", (string)ready["checks"]!["store"]!["status"]!);
    }

    [Fact]
    public async Task OpenApi_DescribesSubmitWithItsFields()
    {
        var document = await (await _anyone.GetAsync("/openapi/v1.json")).JsonAsync();

        var submit = document["paths"]!["/v1/videos"]!["post"]!;
        Assert.NotNull(submit["requestBody"]!["content"]!["application/json"]);
        Assert.NotNull(submit["requestBody"]!["content"]!["multipart/form-data"]);
        Assert.NotNull(document["components"]!["schemas"]!["VideoFields"]!["properties"]!["guidance_scale"]);
    }

    [Fact]
    public async Task OpenApi_EveryOperationOfAKey_SaysWhichKeyAndWhichRefusals()
    {
        var document = await (await _anyone.GetAsync("/openapi/v1.json")).JsonAsync();
        Assert.StartsWith("3.1", (string)document["openapi"]!, StringComparison.Ordinal);
        Assert.Equal("bearer", (string)document["components"]!["securitySchemes"]!["api_key"]!["scheme"]!);
        var operations = Operations(document).ToList();
        Assert.Equal(operations.Count, operations.Select(operation => (string)operation.Node["operationId"]!).Distinct().Count());
        List<string> keyless = [];
        foreach (var (name, operation) in operations.Where(operation => !operation.Name.Contains("/health/", StringComparison.Ordinal)))
        {
            Assert.True(operation["summary"] is not null, $"{name} has no summary");
            if (operation["security"] is JsonArray { Count: 0 })
            {
                keyless.Add(name);
                continue;
            }

            Assert.True(operation["security"]?[0]?["api_key"] is not null, $"{name} names no key");
            foreach (var status in (string[])["401", "403", "429", "503"])
            {
                Assert.Equal(
                    "#/components/schemas/Error",
                    (string?)operation["responses"]![status]?["content"]!["application/problem+json"]!["schema"]!["$ref"]
                );
            }
        }

        // An invitation is what one has there
        Assert.Equal(["post /worker/v1/enroll"], keyless);
    }

    [Fact]
    public async Task OpenApi_ItsExamples_AreAcceptedAsTheyStand()
    {
        var document = await (await _anyone.GetAsync("/openapi/v1.json")).JsonAsync();
        var submit = document["paths"]!["/v1/videos"]!["post"]!["requestBody"]!["content"]!;
        Assert.Equal("binary", (string)document["components"]!["schemas"]!["VideoForm"]!["properties"]!["input_reference"]!["format"]!);
        Assert.Equal("#/components/schemas/VideoForm", (string)submit["multipart/form-data"]!["schema"]!["$ref"]!);

        foreach (var (name, path) in new[] { ("/v1/videos", "/v1/videos"), ("/v1/keys", "/v1/keys"), ("/v1/plans", "/v1/plans") })
        {
            foreach (
                var (title, example) in document["paths"]![path]!["post"]!["requestBody"]!["content"]!["application/json"]![
                    "examples"
                ]!.AsObject()
            )
            {
                var reply = await _farm.User.PostAsync(
                    name,
                    new StringContent(example!["value"]!.ToJsonString(), System.Text.Encoding.UTF8, "application/json")
                );

                // This farm has neither those models nor that worker; all else must be right.
                var code = reply.IsSuccessStatusCode ? "" : (string)(await reply.JsonAsync())["error"]!["code"]!;
                Assert.True(
                    code is "" or "unknown_model" || title == "worker",
                    $"{name} {title}: {await reply.Content.ReadAsStringAsync()}"
                );
            }
        }
    }

    [Fact]
    public async Task OpenApi_NamesEveryFieldThatIsRead_AndNoOther()
    {
        var document = await (await _anyone.GetAsync("/openapi/v1.json")).JsonAsync();
        var described = document["components"]!["schemas"]!["VideoFields"]!["properties"]!
            .AsObject()
            .Select(field => field.Key)
            .ToHashSet();

        foreach (var field in described.Append("no_such_field"))
        {
            var body = new System.Text.Json.Nodes.JsonObject { ["prompt"] = "a", [field] = new System.Text.Json.Nodes.JsonArray() };
            var reply = await _farm.User.PostAsync(
                "/v1/videos",
                new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json")
            );
            Assert.Equal(described.Contains(field), await CodeAsync(reply) != "unknown_parameter");
        }

        static async Task<string> CodeAsync(HttpResponseMessage reply) =>
            reply.IsSuccessStatusCode ? "" : (string)(await reply.JsonAsync())["error"]!["code"]!;
    }

    [Fact]
    public async Task OpenApi_BatchesAndStreams_SayWhatTheyRead()
    {
        var paths = (await (await _anyone.GetAsync("/openapi/v1.json")).JsonAsync())["paths"]!;
        var batches = paths["/v1/batches"]!["post"]!;

        Assert.NotNull(batches["responses"]!["400"]);
        foreach (var (type, media) in batches["requestBody"]!["content"]!.AsObject().Where(form => form.Value!["example"] is not null))
        {
            var example = media!["example"]!;
            var reply = await _farm.User.PostAsync(
                "/v1/batches",
                new StringContent(type == "application/json" ? example.ToJsonString() : (string)example!, System.Text.Encoding.UTF8, type)
            );
            Assert.True(reply.IsSuccessStatusCode, $"{type}: {await reply.Content.ReadAsStringAsync()}");
        }

        var stream = paths["/v1/videos/{id}/events"]!["get"]!["parameters"]!.AsArray().Select(parameter => (string)parameter!["name"]!);
        Assert.Superset(new HashSet<string> { "Last-Event-ID", "after", "preview" }, stream.ToHashSet());
    }

    private static IEnumerable<(string Name, JsonNode Node)> Operations(JsonNode document) =>
        document["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => ($"{operation.Key} {path.Key}", operation.Value!)));

    [Fact]
    public async Task Scalar_IsServed() => Assert.Equal(HttpStatusCode.OK, (await _anyone.GetAsync("/scalar/v1")).StatusCode);

    [Fact]
    public async Task Metrics_CountWhatHappened()
    {
        await _farm.FinishVideoAsync([1, 2, 3]);
        await _farm.SubmitAsync();

        var text = await _anyone.GetStringAsync("/metrics");

        Assert.Contains("renderfarm_submissions_total{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_lease_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_lease_step_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_lease_stage_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_lease_peak_measured_bytes{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_jobs{", text, StringComparison.Ordinal);
        Assert.Contains("http_server_request_duration_seconds_bucket{", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_WithAPortOfTheirOwn_AreOnlyThere()
    {
        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        await using var apart = await TestFarm.StartAsync($"--Metrics:Url=http://127.0.0.1:{port}");
        using var scraper = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        Assert.Equal(HttpStatusCode.OK, (await scraper.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await scraper.GetAsync("/health/live")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await apart.User.GetAsync("/metrics")).StatusCode);
    }
}
