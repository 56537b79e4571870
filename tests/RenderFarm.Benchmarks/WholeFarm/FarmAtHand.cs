using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>A whole farm of real processes with one worker, the demo model and the large one.</summary>
internal sealed class FarmAtHand : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);
    private readonly FarmUnderTest _farm;

    private FarmAtHand(FarmUnderTest farm, FarmProcess worker) => (_farm, Worker) = (farm, worker);

    public FarmProcess Worker { get; }

    /// <summary>It has rendered something: its next renderer knows what to expect.</summary>
    public bool HasRendered { get; private set; }

    /// <param name="models">A folder for each model.</param>
    /// <param name="kept">Where prepared weights and measured rates outlive this farm.</param>
    public static async Task<FarmAtHand> StartAsync(
        WholeFarmOptions options,
        string models,
        (string Weights, string Rates) kept,
        bool standby
    )
    {
        var farm = await FarmUnderTest.StartAsync(
            new FarmSetup
            {
                More = new Dictionary<string, string>
                {
                    ["Models__Directory"] = models,
                    ["Videos__DefaultModel"] = "demo",
                    ["Worker__Slots"] = options.Slots,
                    ["Worker__Standby"] = standby ? "true" : "false",
                    ["Worker__WeightCacheDirectory"] = kept.Weights,
                    ["Worker__CalibrationDirectory"] = kept.Rates,
                },
            },
            workers: 0
        );
        try
        {
            return new FarmAtHand(farm, await farm.StartWorkerAsync("worker-1"));
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public async Task<string> SubmitAsync(object request) => (await _farm.SubmitAsync(request)).GetProperty("id").GetString()!;

    /// <summary>From the moment of submitting to the video in the store.</summary>
    public async Task<Rendered> RenderAsync(object request)
    {
        var clock = Stopwatch.StartNew();
        return await FinishedAsync(await SubmitAsync(request), clock);
    }

    public async Task<Rendered> FinishedAsync(string id, Stopwatch clock)
    {
        var video = await _farm.FinishedAsync(id, Patience);
        var seconds = clock.Elapsed.TotalSeconds;
        var rendered = new Rendered(video, await _farm.AttemptsAsync(id), seconds);
        HasRendered |= rendered.IsCompleted;
        return rendered;
    }

    public Task DenoisingAsync(string id) => _farm.DenoisingAsync(id, Patience);

    /// <summary>Until its attempt of this number has begun to denoise.</summary>
    public Task DenoisingAsync(string id, int attempt) =>
        _farm.EventuallyAsync(
            async () =>
                (await _farm.AttemptsAsync(id)).Count >= attempt
                && await _farm.VideoAsync(id) is var video
                && video.GetProperty("stage").GetString() == "denoising",
            Patience,
            string.Create(CultureInfo.InvariantCulture, $"attempt {attempt} of video {id} to be denoised")
        );

    public async Task CancelAsync(string id)
    {
        using var answer = await _farm.PostAsync($"/v1/videos/{id}/cancel");
        answer.EnsureSuccessStatusCode();
    }

    public Task<byte[]> DownloadAsync(string id) => _farm.Http.GetByteArrayAsync(new Uri($"/v1/videos/{id}/content", UriKind.Relative));

    /// <summary>The renderer that has the job: the oldest, for one that stands by is started after it.</summary>
    public int RendererAtWork() =>
        Worker.Children("RenderFarm.Renderer").OrderBy(StartOf).Cast<int?>().FirstOrDefault()
        ?? throw new InvalidOperationException("no renderer is at work");

    /// <summary>Its status or, where it has failed, why: <c>cancelled</c> is a way to fail.</summary>
    public async Task<string> StandingAsync(string id)
    {
        var video = await _farm.VideoAsync(id);
        return video.GetProperty("status").GetString() is not "failed" and { } status
            ? status
            : video.GetProperty("error").GetProperty("code").GetString()!;
    }

    /// <summary>Whether the renderer that stands by has the weights of the last job near.</summary>
    public async Task<bool> StandbyIsLoadedAsync() =>
        (await _farm.Http.GetStringAsync(_farm.MetricsUrls["worker-1"]))
            .Split('\n')
            .Any(line => line.StartsWith("renderfarm_standby_loaded{", StringComparison.Ordinal) && ValueOf(line) == "1");

    /// <summary>Whether the rates of its slot are measured ones by now.</summary>
    public async Task<bool> IsMeasuredAsync() =>
        (await _farm.Http.GetStringAsync(new Uri("/v1/workers", UriKind.Relative))).Contains("\"measured\"", StringComparison.Ordinal);

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    /// <summary>Behind the labels, which may hold spaces: a card has them in its name.</summary>
    private static string ValueOf(string line) => line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0];

    private static DateTime StartOf(int process)
    {
        using var found = Process.GetProcessById(process);
        return found.StartTime;
    }
}

/// <summary>A video at its end.</summary>
/// <param name="Seconds">Since it was submitted.</param>
internal sealed record Rendered(JsonElement Video, IReadOnlyList<JsonElement> Attempts, double Seconds)
{
    public string Id => Video.GetProperty("id").GetString()!;

    public bool IsCompleted => Video.GetProperty("status").GetString() == "completed";

    public string Outcomes => string.Join(", ", Attempts.Select(Outcome));

    public JsonElement Plan => Attempts[^1].GetProperty("plan");

    /// <summary>Of the last attempt; null where it has none.</summary>
    public double? Measured(string name) =>
        Attempts[^1].TryGetProperty("measurements", out var all)
        && all.ValueKind == JsonValueKind.Object
        && all.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    private static string Outcome(JsonElement attempt) =>
        attempt.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
            ? $"{attempt.GetProperty("outcome").GetString()} ({error.GetProperty("code").GetString()})"
            : attempt.GetProperty("outcome").GetString()!;
}
