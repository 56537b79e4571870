using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary><c>POST /v1/batches</c>: 10,000 lines, and 10,000 videos out of a matrix, from the first byte sent to the answer.</summary>
internal static class BatchPart
{
    private const int Jobs = 10_000;
    private const int Rounds = 3;

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var api = await ApiFarm.StartAsync();
        await api.CreateAsync(0);
        var (lines, matrix) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var number = round;
            lines.Add(
                await SendAsync(
                    api,
                    () =>
                        new StringContent(
                            string.Concat(
                                Enumerable
                                    .Range(0, Jobs)
                                    .Select(i => $$"""{"prompt":"clip {{i}} of round {{number}}","model":"tiny","seed":{{i}}}""" + "\n")
                            ),
                            Encoding.UTF8,
                            "application/jsonl"
                        )
                )
            );
            matrix.Add(
                await SendAsync(
                    api,
                    () =>
                        JsonContent.Create(
                            new
                            {
                                matrix = new
                                {
                                    prompt = Enumerable.Range(0, 100).Select(i => $"matrix {number}, clip {i}"),
                                    seed = Enumerable.Range(0, 100),
                                    model = (string[])["tiny"],
                                },
                            }
                        )
                )
            );
        }
        return new Findings(
            [
                Figure.Most($"batch of {Jobs} lines, slowest of {Rounds}", lines.Max(), "s", 10),
                Figure.Most($"matrix of {Jobs} videos, slowest of {Rounds}", matrix.Max(), "s", 10),
            ],
            new JsonObject
            {
                ["lines_seconds"] = new JsonArray([.. lines.Select(s => (JsonNode)Math.Round(s, 2))]),
                ["matrix_seconds"] = new JsonArray([.. matrix.Select(s => (JsonNode)Math.Round(s, 2))]),
                ["store"] = await api.DurabilityAsync(),
            }
        );
    }

    private static async Task<double> SendAsync(ApiFarm api, Func<HttpContent> body)
    {
        using var content = body();
        var clock = Stopwatch.StartNew();
        using var answer = await api.Http.PostAsync(new Uri("/v1/batches", UriKind.Relative), content);
        var said = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var seconds = clock.Elapsed.TotalSeconds;
        return answer.IsSuccessStatusCode && said.GetProperty("total").GetInt32() == Jobs
            ? seconds
            : throw new InvalidOperationException($"a batch was answered {(int)answer.StatusCode}: {said}");
    }
}
