using System.Diagnostics;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>Prometheus' own opinion of what every process shows.</summary>
public sealed class Scrapes
{
    private const string Promtool = "promtool";

    [Fact]
    public async Task Metrics_OfAnEmbeddedFarmAtWork_AreCleanToPromtool()
    {
        Assert.SkipUnless(IsInstalled(), "no promtool: apt-get install prometheus");
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());
        await AssertCleanAsync(farm);
    }

    /// <summary>With what the libraries for the broker and the database show.</summary>
    [Fact]
    public async Task Metrics_OfAFarmOnServicesAtWork_AreCleanToPromtool()
    {
        Assert.SkipUnless(IsInstalled(), "no promtool: apt-get install prometheus");
        await using var services = await FarmOnServices.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup);
        var api = await AssertCleanAsync(farm);
        Assert.Contains("renderfarm_broker_up{otel_scope_name=\"RenderFarm.Api\"} 1", api, StringComparison.Ordinal);
    }

    /// <returns>What the API shows.</returns>
    private static async Task<string> AssertCleanAsync(FarmUnderTest farm)
    {
        await farm.CompletedAsync((await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!, TimeSpan.FromSeconds(60));
        var page = "";
        foreach (var (process, url) in farm.MetricsUrls.Append(new("api", $"{farm.Url}/metrics")))
        {
            page = await farm.Http.GetStringAsync(new Uri(url));
            Assert.Contains("renderfarm_", page, StringComparison.Ordinal);
            var complaints = await ComplaintsAsync(page);
            Assert.True(complaints.Length == 0, $"{process}: {complaints}");
        }

        return page;
    }

    private static bool IsInstalled() =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, Promtool)));

    private static async Task<string> ComplaintsAsync(string page)
    {
        using var check = Process.Start(
            new ProcessStartInfo(Promtool, ["check", "metrics"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var said = Task.WhenAll(check.StandardOutput.ReadToEndAsync(), check.StandardError.ReadToEndAsync());
        await check.StandardInput.WriteAsync(page);
        check.StandardInput.Close();
        return string.Concat(await said).Trim();
    }
}
