using System.Net;

namespace RenderFarm.Api.Tests.Hosting;

/// <summary>What is open to everybody: health, metrics, the description of the interface.</summary>
public sealed class PublicPagesTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm farm = fixture.Farm;
    private readonly HttpClient anyone = fixture.Farm.ClientWith(null);

    [Fact]
    public async Task Health_OfAFarmThatWorks_IsHealthy()
    {
        Assert.Equal("healthy", (string)(await (await anyone.GetAsync("/health/live")).JsonAsync())["status"]!);
        var ready = await (await anyone.GetAsync("/health/ready")).JsonAsync();
        Assert.Equal("healthy", (string)ready["checks"]!["store"]!["status"]!);
    }

    [Fact]
    public async Task OpenApi_DescribesSubmitWithItsFields()
    {
        var document = await (await anyone.GetAsync("/openapi/v1.json")).JsonAsync();

        var submit = document["paths"]!["/v1/videos"]!["post"]!;
        Assert.NotNull(submit["requestBody"]!["content"]!["application/json"]);
        Assert.NotNull(submit["requestBody"]!["content"]!["multipart/form-data"]);
        Assert.NotNull(document["components"]!["schemas"]!["VideoFields"]!["properties"]!["guidance_scale"]);
    }

    [Fact]
    public async Task Scalar_IsServed() => Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync("/scalar/v1")).StatusCode);

    [Fact]
    public async Task Metrics_CountWhatHappened()
    {
        await farm.FinishVideoAsync([1, 2, 3]);
        await farm.SubmitAsync();

        var text = await anyone.GetStringAsync("/metrics");

        Assert.Contains("renderfarm_submissions_total{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_lease_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_step_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_stage_duration_seconds_bucket{", text, StringComparison.Ordinal);
        Assert.Contains("renderfarm_peak_measured_bytes{", text, StringComparison.Ordinal);
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
