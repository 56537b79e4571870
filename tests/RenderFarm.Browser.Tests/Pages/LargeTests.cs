using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using RenderFarm.Browser.Tests.Farm;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>What a page weighs, and that it does not care how many videos there are.</summary>
public sealed partial class LargeTests : IAsyncLifetime
{
    private const int MostBytes = 60_000;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(200);
    private readonly PageFarm _farm = new();

    public ValueTask InitializeAsync() => _farm.InitializeAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task List_OfTwentyThousand_IsThereSoonAndLight()
    {
        await using var studio = await _farm.StudioAsync();
        var cancellationToken = TestContext.Current.CancellationToken;
        for (var batch = 0; batch < 2; batch++)
        {
            using var answer = await studio.Http.PostAsJsonAsync(
                "/v1/batches",
                new
                {
                    matrix = new { seed = Enumerable.Range(batch * 10_000, 10_000) },
                    @base = new { prompt = "one of many boats on a river, seen from a bridge", model = studio.Model },
                },
                cancellationToken
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        }

        var cookies = await studio.Browser.CookiesAsync();
        using var http = new HttpClient { BaseAddress = new Uri(_farm.Farm.Url) };
        http.DefaultRequestHeaders.Add("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Name}={cookie.Value}")));
        var plain = await http.GetStringAsync("/videos", cancellationToken);
        http.DefaultRequestHeaders.Add("Accept-Encoding", "br");
        var took = new List<TimeSpan>();
        var bytes = 0;
        for (var i = 0; i < 21; i++)
        {
            var began = Stopwatch.GetTimestamp();
            bytes = (await http.GetByteArrayAsync("/videos", cancellationToken)).Length;
            took.Add(Stopwatch.GetElapsedTime(began));
        }

        var modules = await _farm.Farm.Http.GetStringAsync(Asset().Matches(plain).Single(one => one.Value.Contains("page.")
            && one.Value.EndsWith(".js", StringComparison.Ordinal)).Value, cancellationToken);
        var assets = Asset()
            .Matches(plain)
            .Select(one => one.Value)
            .Concat(Import().Matches(modules).Select(one => "/assets/" + one.Groups[1].Value))
            .Distinct();
        foreach (var asset in assets)
        {
            bytes += (await http.GetByteArrayAsync(asset, cancellationToken)).Length;
        }

        var median = took.Order().ElementAt(took.Count / 2);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes, {median.TotalMilliseconds:0.0} ms");
        Assert.Equal(24, Regex.Count(plain, "<li class=\"card"));
        Assert.True(bytes <= MostBytes, $"{bytes} bytes");
        Assert.True(median <= Soon, $"{median.TotalMilliseconds:0} ms");
    }

    [GeneratedRegex("/assets/[a-z.0-9]+")]
    private static partial Regex Asset();

    [GeneratedRegex("\"\\./([a-z.0-9]+\\.js)\"")]
    private static partial Regex Import();
}
