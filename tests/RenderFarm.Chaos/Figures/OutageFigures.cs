using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>The broker away for a minute, the database for ten seconds.</summary>
internal static class OutageFigures
{
    private static readonly TimeSpan BrokerThere = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BrokerAway = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DatabaseAway = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Ten submissions a second of a model that nobody runs at present, and every other second one that an idle worker can take. The
    /// same for a while before, with the broker there: what the machine is like at the time, and what the absence adds to it.
    /// </summary>
    public static async Task<Measured> BrokerAsync(FigureFarm farm)
    {
        const string Far = "far";
        await RegisterAsync(farm, Far);
        for (var i = 0; i < 50; i++)
        {
            (await farm.Http.PostAsJsonAsync("/v1/videos", farm.Request(3, model: Far), farm.Stop)).EnsureSuccessStatusCode();
        }

        var (before, refusedBefore) = await SubmitAsync(farm, Far, BrokerThere);
        await farm.Farm.Servers.KillAsync("rabbitmq", farm.Stop);
        var since = await farm.NowAsync();
        var (creates, refused) = await SubmitAsync(farm, Far, BrokerAway);
        var starts = new Distribution(
            await farm.NumbersAsync(
                "SELECT EXTRACT(EPOCH FROM COALESCE(r.leased_at, clock_timestamp()) - j.created_at)::float8 FROM jobs j LEFT JOIN "
                    + "lease_records r ON r.job_id = j.id AND r.fence = 1 WHERE j.model = 'tiny' AND j.created_at > $1",
                since
            )
        );
        await farm.Farm.Servers.StartAgainAsync("rabbitmq", wiped: false, farm.Stop);
        return new(
            "broker down 60 s",
            "create answers 200, p99 ≤ 250 ms; idle workers start jobs within 5 s",
            refused == 0 && creates.P99 <= 0.25 && starts is { Count: > 0, Max: <= 5 },
            new()
            {
                ["creates"] = creates.ToJson(),
                ["creates_not_answered_200"] = refused,
                ["submit_to_lease_of_idle_workers"] = starts.ToJson(),
                ["creates_before_with_the_broker_there"] = before.ToJson(),
                ["creates_not_answered_200_then"] = refusedBefore,
            }
        );
    }

    /// <returns>How long each answer took from the moment when its request was due, so that a stall shows in full; and how many were not
    /// 200.</returns>
    private static async Task<(Distribution Seconds, int Refused)> SubmitAsync(FigureFarm farm, string model, TimeSpan time)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(farm.Stop);
        over.CancelAfter(time);
        ConcurrentBag<double> seconds = [];
        var refused = 0;
        var started = TimeProvider.System.GetTimestamp();
        var sent = -1;
        await Task.WhenAll(
            FigureFarm.SteadilyAsync(
                TimeSpan.FromMilliseconds(100),
                async () =>
                {
                    var due = Interlocked.Increment(ref sent) * 0.1;
                    using var answer = await farm.Http.PostAsJsonAsync("/v1/videos", farm.Request(3, model: model), farm.Stop);
                    await answer.Content.ReadAsByteArrayAsync(farm.Stop);
                    seconds.Add(TimeProvider.System.GetElapsedTime(started).TotalSeconds - due);
                    if (answer.StatusCode != HttpStatusCode.OK)
                    {
                        Interlocked.Increment(ref refused);
                    }
                },
                over.Token
            ),
            FigureFarm.SteadilyAsync(TimeSpan.FromSeconds(2), async () => await farm.CompletedAsync(await farm.SubmitAsync(3)), over.Token)
        );
        return (new Distribution(seconds), refused);
    }

    /// <summary>Renders that began before, end after and know nothing of it; submissions all the while.</summary>
    public static async Task<Measured> DatabaseAsync(FigureFarm farm, int renders)
    {
        var healthy = await Task.WhenAll(Enumerable.Range(0, renders).Select(_ => farm.SubmitAsync(60, slow: true)));
        foreach (var job in healthy)
        {
            await farm.RenderingAsync(job);
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(farm.Stop);
        ConcurrentBag<string> accepted = [];
        var unavailable = 0;
        var wrong = 0;
        var submitting = FigureFarm.SteadilyAsync(
            TimeSpan.FromMilliseconds(250),
            async () =>
            {
                using var answer = await farm.Http.PostAsJsonAsync("/v1/videos", farm.Request(3), farm.Stop);
                var text = await answer.Content.ReadAsStringAsync(farm.Stop);
                if (answer.IsSuccessStatusCode)
                {
                    accepted.Add(JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!);
                }
                else if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && answer.Headers.RetryAfter is not null)
                {
                    Interlocked.Increment(ref unavailable);
                }
                else
                {
                    Interlocked.Increment(ref wrong);
                }
            },
            over.Token
        );
        await farm.Farm.Servers.KillAsync("postgres", farm.Stop);
        await Task.Delay(DatabaseAway, TimeProvider.System, farm.Stop);
        await farm.Farm.Servers.StartAgainAsync("postgres", wiped: false, farm.Stop);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, farm.Stop);
        await over.CancelAsync();
        await submitting;
        farm.Farm.Database.Clear();
        var lost = 0;
        foreach (var job in accepted)
        {
            if (await farm.ScalarAsync<long>("SELECT COUNT(*) FROM jobs WHERE id = $1", job) == 0)
            {
                lost++;
            }
        }

        foreach (var job in healthy.Concat(accepted))
        {
            await farm.CompletedAsync(job);
        }

        var repeated = (
            await Task.WhenAll(healthy.Select(job => farm.ScalarAsync<long>("SELECT fence FROM jobs WHERE id = $1", job)))
        ).Count(fence => fence > 1);
        return new(
            "database restart of 10 s",
            "503 with Retry-After, 0 lost, 0 healthy renders repeated",
            unavailable > 0 && wrong == 0 && lost == 0 && repeated == 0,
            new()
            {
                ["answered_503_with_retry_after"] = unavailable,
                ["answered_otherwise_than_200_or_that"] = wrong,
                ["accepted"] = accepted.Count,
                ["lost"] = lost,
                ["healthy_renders"] = healthy.Length,
                ["repeated"] = repeated,
            }
        );
    }

    private static async Task RegisterAsync(FigureFarm farm, string model)
    {
        using var worker = farm.Farm.Client(farm.Farm.Key("worker_key"));
        var request = SimulatedWorker.Registration("gone", ModelShapes.Tiny with { Id = model });
        using var body = new StringContent(
            JsonSerializer.Serialize(request, ContractsJson.Default.RegisterWorkerRequest),
            Encoding.UTF8,
            "application/json"
        );
        (await worker.PostAsync(new Uri("/worker/v1/register", UriKind.Relative), body, farm.Stop)).EnsureSuccessStatusCode();
    }
}
