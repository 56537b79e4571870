using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// <c>eta_seconds</c> against what it came to: a real worker renders twenty videos of a kind, then as many more are submitted at
/// once. Each is asked when it is queued and when it is first seen rendering.
/// </summary>
internal static class EtaPart
{
    private const int Before = 20;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100),
        Patience = TimeSpan.FromMinutes(8);

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var database = await PostgresDatabase.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { Postgres = database.ConnectionString });
        var clock = Stopwatch.StartNew();
        await WatchAsync(farm, clock, await SubmitAsync(farm, clock, Before));
        var videos = await SubmitAsync(farm, clock, options.Jobs);
        await WatchAsync(farm, clock, videos);

        double Median(IEnumerable<double> errors) => errors.Order().ElementAt(options.Jobs / 2) * 100;
        return new Findings(
            [
                Figure.Most(
                    "eta of queued videos, median error",
                    Median(videos.Values.Select(video => video.Queued.ErrorAt(video.Completed))),
                    "%",
                    20
                ),
                Figure.Most(
                    "eta of rendering videos, median error",
                    Median(videos.Values.Select(video => video.Rendering?.ErrorAt(video.Completed) ?? 1)),
                    "%",
                    20
                ),
            ],
            new JsonObject
            {
                ["videos_before"] = Before,
                ["videos"] = new JsonArray([
                    .. videos.Values.Select(video =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["queued_eta"] = video.Queued.Eta,
                                ["queued_took"] = Math.Round(video.Completed - video.Queued.At, 2),
                                ["rendering_eta"] = video.Rendering?.Eta,
                                ["rendering_took"] = video.Rendering is { } seen ? Math.Round(video.Completed - seen.At, 2) : null,
                            }
                    ),
                ]),
            }
        );
    }

    private static async Task<Dictionary<string, Watched>> SubmitAsync(FarmUnderTest farm, Stopwatch clock, int count)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            ids.Add((
                    await farm.SubmitAsync(
                        new
                        {
                            prompt = $"clip {i}",
                            model = "tiny",
                            steps = 20,
                        }
                    )
                ).GetProperty("id").GetString()!);
        }

        var videos = new Dictionary<string, Watched>();
        foreach (var id in ids)
        {
            videos[id] = new Watched { Queued = Said.Of(await farm.VideoAsync(id), clock) ?? new Said(0, clock.Elapsed.TotalSeconds) };
        }

        return videos;
    }

    private static async Task WatchAsync(FarmUnderTest farm, Stopwatch clock, Dictionary<string, Watched> videos)
    {
        using var timer = new PeriodicTimer(Look);
        var until = clock.Elapsed + Patience;
        while (videos.Values.Any(video => video.Completed == 0))
        {
            if (clock.Elapsed > until)
            {
                throw new TimeoutException($"the videos did not end within {Patience}. {farm.LastWords()}");
            }

            await timer.WaitForNextTickAsync();
            var page = await farm.GetAsync("/v1/videos?limit=100");
            foreach (var video in page.GetProperty("data").EnumerateArray())
            {
                if (!videos.TryGetValue(video.GetProperty("id").GetString()!, out var seen))
                {
                    continue;
                }

                var status = video.GetProperty("status").GetString();
                if (status == "completed" && seen.Completed == 0)
                {
                    seen.Completed = clock.Elapsed.TotalSeconds;
                }
                else if (status == "in_progress")
                {
                    seen.Rendering ??= Said.Of(await farm.VideoAsync(video.GetProperty("id").GetString()!), clock);
                }
                else if (status == "failed")
                {
                    throw new InvalidOperationException($"a video failed: {video}");
                }
            }
        }
    }

    /// <param name="At">Seconds on the part's clock.</param>
    private sealed record Said(double Eta, double At)
    {
        public static Said? Of(JsonElement video, Stopwatch clock) =>
            video.TryGetProperty("eta_seconds", out var eta) ? new Said(eta.GetDouble(), clock.Elapsed.TotalSeconds) : null;

        public double ErrorAt(double completed) => Math.Abs(Eta - (completed - At)) / (completed - At);
    }

    private sealed class Watched
    {
        public required Said Queued { get; init; }
        public Said? Rendering { get; set; }
        public double Completed { get; set; }
    }
}
