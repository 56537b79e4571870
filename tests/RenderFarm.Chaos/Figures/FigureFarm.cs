using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using RenderFarm.Chaos.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>The farm of the chaos program with verbs for one fault at a time. Times are the database's, like those in its rows.</summary>
internal sealed class FigureFarm(ChaosFarm farm, CancellationToken cancellationToken)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly HttpClient _http = farm.Client();
    private int _number;

    public ChaosFarm Farm => farm;
    public CancellationToken Stop => cancellationToken;
    public HttpClient Http => _http;

    /// <param name="steps">A tenth of a second each; half a second each in a slow one.</param>
    public Task<string> SubmitAsync(int steps, bool slow = false) => SubmitAsync(Request(steps, slow));

    public async Task<string> SubmitAsync(object request)
    {
        var mark = Guid.NewGuid().ToString("N");
        using var answer = await SendAsync(() =>
            new HttpRequestMessage(HttpMethod.Post, "/v1/videos")
            {
                Content = JsonContent.Create(request),
                Headers = { { "Idempotency-Key", mark } },
            }
        );
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString()!;
    }

    public object Request(int steps, bool slow = false, string model = "tiny")
    {
        var number = Interlocked.Increment(ref _number);
        return new
        {
            model,
            prompt = $"clip {number}: a square wanders{(slow ? " " + Rendering.StubRenderer.Slowly : "")}",
            size = "64x48",
            frames = 5,
            steps,
            seed = number,
            max_attempts = 10,
        };
    }

    public async Task CancelAsync(string id)
    {
        using var answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, $"/v1/videos/{id}/cancel"));
    }

    public Task CompletedAsync(string id) => CompletedAsync(id, Patience);

    public Task CompletedAsync(string id, TimeSpan patience) =>
        Eventually.TrueAsync(
            async () => await ScalarAsync<string>("SELECT state FROM jobs WHERE id = $1", id) is "completed",
            patience,
            $"{id} to be completed",
            cancellationToken
        );

    public Task EndedAsync(string id) =>
        Eventually.TrueAsync(
            async () => await ScalarAsync<DateTime?>("SELECT finished_at FROM jobs WHERE id = $1", id) is not null,
            Patience,
            $"{id} to end",
            cancellationToken
        );

    /// <summary>Waits until the job is being rendered under a later fence.</summary>
    public async Task<Held> RenderingAsync(string id, long after = 0)
    {
        var found = await Eventually.ValueAsync(
            () => HeldAsync(id, after),
            held => held is not null,
            Patience,
            string.Create(CultureInfo.InvariantCulture, $"{id} to be rendered after fence {after}"),
            cancellationToken
        );
        return found!;
    }

    public async Task<DateTime> NowAsync() => (await ScalarAsync<DateTime?>("SELECT clock_timestamp()"))!.Value;

    public async Task<T?> ScalarAsync<T>(string sql, params object[] arguments)
    {
        await using var command = Command(sql, arguments);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    public async Task<IReadOnlyList<double>> NumbersAsync(string sql, params object[] arguments)
    {
        var numbers = new List<double>();
        await using var command = Command(sql, arguments);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            numbers.Add(reader.GetDouble(0));
        }

        return numbers;
    }

    /// <summary>Does something every so often until <paramref name="cancellationToken"/>; each time on its own, on schedule.</summary>
    public static async Task SteadilyAsync(TimeSpan every, Func<Task> act, CancellationToken cancellationToken)
    {
        var acts = new List<Task>();
        using var timer = new PeriodicTimer(every, TimeProvider.System);
        try
        {
            do
            {
                acts.Add(Task.Run(act, CancellationToken.None));
            } while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // long enough
        }
        await Task.WhenAll(acts);
    }

    /// <summary>Sent again while the farm says "not now" or nothing at all, as every client does.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make)
    {
        var pause = TimeSpan.FromSeconds(1);
        while (true)
        {
            using var message = make();
            try
            {
                var answer = await _http.SendAsync(message, cancellationToken);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
                {
                    return answer.EnsureSuccessStatusCode();
                }

                pause = answer.Headers.RetryAfter?.Delta ?? pause;
                answer.Dispose();
            }
            catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // No answer within the client's patience: the machine is busy
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }

    private async Task<Held?> HeldAsync(string id, long after)
    {
        await using var command = Command(
            """
            SELECT w.name, j.fence, r.rendering_at FROM jobs j JOIN workers w ON w.id = j.lease_worker_id JOIN lease_records r
                ON r.job_id = j.id AND r.fence = j.fence
            WHERE j.id = $1 AND j.fence > $2 AND j.state = 'rendering' AND j.step > 0
            """,
            [id, after]
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new Held(reader.GetString(0), reader.GetInt64(1), reader.GetDateTime(2)) : null;
    }

    private NpgsqlCommand Command(string sql, object[] arguments)
    {
        var command = farm.Database.CreateCommand(sql);
        foreach (var argument in arguments)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = argument });
        }

        return command;
    }
}

/// <param name="Since">When its worker said that it had begun.</param>
internal sealed record Held(string Worker, long Fence, DateTime Since);
