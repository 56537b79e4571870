using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Testing;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// The API's resident memory under ten minutes of everything: submissions, questions, pages, uploads, streams that come and go,
/// and nonsense.
/// </summary>
internal static class MemoryPart
{
    private const double PerSecond = 120;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var broker = await BrokerVirtualHost.CreateAsync();
        await using var api = await ApiFarm.StartAsync(broker.Address);
        var time = TimeSpan.FromMinutes(options.Minutes);
        var resident = new List<double>();
        using var over = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(Every);
            while (await timer.WaitForNextTickAsync(CancellationToken.None) && !over.IsCancellationRequested)
            {
                resident.Add(ResidentMebibytes(api.Farm.Api.Id));
            }
        });
        var load = await Load.SteadyAsync(PerSecond, time, number => OneOfAllAsync(api, number));
        await over.CancelAsync();
        await watching;

        // The first fifth is the runtime's: compiling, pools, the collector finding its size
        var settled = resident[(resident.Count / 5)..];
        var window = settled.Count / 4;
        var before = settled.Take(window).Average();
        var after = settled.TakeLast(window).Average();
        return new Findings(
            [
                Figure.Most($"memory after {options.Minutes:0.#} minutes against its start", after / before * 100, "%", 105),
                Figure.Most("memory, requests answered otherwise than they should be", load.Failed, "requests", 0),
            ],
            new JsonObject
            {
                ["minutes"] = options.Minutes,
                ["early_mib"] = Math.Round(before, 1),
                ["late_mib"] = Math.Round(after, 1),
                ["peak_mib"] = Math.Round(resident.Max(), 1),
                ["every_minute_mib"] = new JsonArray([
                    .. resident.Chunk((int)(TimeSpan.FromMinutes(1) / Every)).Select(minute => (JsonNode)Math.Round(minute.Average(), 1)),
                ]),
                ["load"] = load.ToJson(),
                ["store"] = await api.DurabilityAsync(),
            }
        );
    }

    private static async Task<bool> OneOfAllAsync(ApiFarm api, int number)
    {
        switch (number % 24)
        {
            case < 6:
                return await api.CreateAsync(number);
            case < 18:
                return await api.GetAsync("/v1/videos?limit=20");
            case 18:
                return await CreateAndWatchAsync(api, number);
            case 19:
                using (
                    var form = new MultipartFormDataContent
                    {
                        { new StringContent($"picture {number}"), "prompt" },
                        { new StringContent("tiny"), "model" },
                    }
                )
                {
                    using var picture = new ByteArrayContent(new byte[300_000]);
                    picture.Headers.ContentType = new MediaTypeHeaderValue("image/png");
                    form.Add(picture, "input_reference", "noise.png");
                    return await StatusAsync(api, HttpMethod.Post, "/v1/videos", form) == 400; // No picture
                }
            case 20:
                using (var broken = new StringContent("{\"prompt\":", Encoding.UTF8, "application/json"))
                {
                    return await StatusAsync(api, HttpMethod.Post, "/v1/videos", broken) == 400;
                }

            case 21:
                return await StatusAsync(api, HttpMethod.Get, $"/v1/videos/video_{number:x32}", null) == 404;
            case 22:
                return await api.GetAsync("/v1/models");
            default:
                using (var answer = await api.Http.PostAsJsonAsync("/v1/plans", new { model = "tiny", vram_gib = 8 }))
                {
                    return answer.IsSuccessStatusCode;
                }
        }
    }

    /// <summary>A client that submits, listens to the first event, looks, and deletes.</summary>
    private static async Task<bool> CreateAndWatchAsync(ApiFarm api, int number)
    {
        using var made = await api.Http.PostAsJsonAsync("/v1/videos", new { prompt = $"watched {number}", model = "tiny" });
        var id = (string?)(await made.Content.ReadFromJsonAsync<JsonObject>())!["id"];
        using (
            var events = await api.Http.GetAsync(
                new Uri($"/v1/videos/{id}/events", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead
            )
        )
        {
            await using var stream = await events.Content.ReadAsStreamAsync();
            if (!events.IsSuccessStatusCode || await stream.ReadAsync(new byte[64]) == 0)
            {
                return false;
            }
        }
        return await api.GetAsync($"/v1/videos/{id}") && await StatusAsync(api, HttpMethod.Delete, $"/v1/videos/{id}", null) == 200;
    }

    private static async Task<int> StatusAsync(ApiFarm api, HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var answer = await api.Http.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        return (int)answer.StatusCode;
    }

    private static double ResidentMebibytes(int process) =>
        double.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) / 1024;
}
