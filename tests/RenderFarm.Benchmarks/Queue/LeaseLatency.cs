using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Contracts.Messages;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>
/// From the moment a client sends its job to the moment an idle worker has it, on a real API with PostgreSQL and RabbitMQ.
/// Two idle workers are played: one that only hears the bell and then asks (the broker's way), and one with a long poll.
/// </summary>
internal static class LeaseLatency
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<Findings> MeasureAsync(int jobs)
    {
        await using var database = await PostgresDatabase.CreateAsync();
        await using var host = await BrokerVirtualHost.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup { Postgres = database.ConnectionString, Broker = host.Address },
            workers: 0
        );
        using var worker = new HttpClient { BaseAddress = new Uri(farm.Url) };
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(farm.Home, "keys.json"))).RootElement;
        worker.DefaultRequestHeaders.Authorization = new("Bearer", keys.GetProperty("worker_key").GetString());
        var id = await RegisterAsync(worker);

        var (bell, passedOver) = await ThroughTheBrokerAsync(farm, worker, id, host.Address, jobs);
        var poll = await ThroughTheLongPollAsync(farm, worker, id, jobs);
        var told = ToJson(bell);
        told["passed_over_at_first"] = passedOver;
        return new Findings(
            [
                Figure.Most("submit to lease through RabbitMQ, p50", bell.P50!.Value, "ms", 20),
                Figure.Most("submit to lease through RabbitMQ, p99", bell.P99!.Value, "ms", 150),
            ],
            new JsonObject { ["bell"] = told, ["long_poll"] = ToJson(poll) }
        );
    }

    /// <returns>The latencies in milliseconds, and how many jobs the worker did not get at its first request.</returns>
    private static async Task<(Distribution Latencies, int PassedOver)> ThroughTheBrokerAsync(
        FarmUnderTest farm,
        HttpClient worker,
        string id,
        Uri broker,
        int jobs
    )
    {
        await using var connection = await new ConnectionFactory { Uri = broker, ConsumerDispatchConcurrency = 1 }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        var queue = Bells.Queue(0);
        await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true);
        await channel.QueueDeclareAsync(
            queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?>
            {
                ["x-max-length"] = Bells.MaxLength,
                ["x-message-ttl"] = (int)Bells.TimeToLive.TotalMilliseconds,
            }
        );
        await channel.QueueBindAsync(queue, queue, "");
        var rung = System.Threading.Channels.Channel.CreateUnbounded<long>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, _) =>
        {
            rung.Writer.TryWrite(Stopwatch.GetTimestamp());
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer);

        var passedOver = 0;
        var latencies = await LatenciesAsync(
            farm,
            worker,
            jobs,
            async () =>
            {
                try
                {
                    await rung.Reader.ReadAsync().AsTask().WaitAsync(Patience);
                }
                catch (TimeoutException)
                {
                    throw new TimeoutException($"no bell came within {Patience.TotalSeconds:0} s. {farm.LastWords()}");
                }
                if (await LeaseAsync(worker, id, wait: 0) is { } grant)
                {
                    return grant;
                }
                // The bell was a second one for an earlier job. A real worker's poll goes on, so this one's does too.
                passedOver++;
                return await LeaseAsync(worker, id, Patience.TotalSeconds) ?? throw new TimeoutException("a bell rang and no job came");
            }
        );
        return (latencies, passedOver);
    }

    private static Task<Distribution> ThroughTheLongPollAsync(FarmUnderTest farm, HttpClient worker, string id, int jobs) =>
        LatenciesAsync(
            farm,
            worker,
            jobs,
            async () => await LeaseAsync(worker, id, wait: Patience.TotalSeconds) ?? throw new TimeoutException("no job came")
        );

    private static async Task<Distribution> LatenciesAsync(FarmUnderTest farm, HttpClient worker, int jobs, Func<Task<JsonElement>> next)
    {
        const int WarmUp = 20;
        var latencies = new List<double>();
        for (var i = 0; i < WarmUp + jobs; i++)
        {
            var leased = Task.Run(async () => (Grant: await next(), At: Stopwatch.GetTimestamp()));
            await Task.Delay(20, CancellationToken.None); // The poll is on its way
            var sent = Stopwatch.GetTimestamp();
            await farm.SubmitAsync(new { prompt = string.Create(CultureInfo.InvariantCulture, $"clip {i}"), model = "tiny" });
            var (grant, at) = await leased;
            if (i >= WarmUp)
            {
                latencies.Add(Stopwatch.GetElapsedTime(sent, at).TotalMilliseconds);
            }

            using var ended = await worker.PostAsJsonAsync(
                $"/worker/v1/leases/{grant.GetProperty("job_id").GetString()}/fail",
                new
                {
                    fence = grant.GetProperty("fence").GetInt64(),
                    token = grant.GetProperty("token").GetString(),
                    reason = "invalid_request",
                    message = "measured",
                }
            );
            ended.EnsureSuccessStatusCode();
        }
        return new Distribution(latencies);
    }

    private static JsonObject ToJson(Distribution latencies)
    {
        return new JsonObject
        {
            ["jobs"] = latencies.Count,
            ["p50_ms"] = Round(latencies.P50),
            ["p90_ms"] = Round(latencies.P90),
            ["p99_ms"] = Round(latencies.P99),
            ["max_ms"] = Round(latencies.Max),
        };

        static JsonNode? Round(double? value) => value is { } number ? Math.Round(number, 2) : null;
    }

    private static async Task<JsonElement?> LeaseAsync(HttpClient worker, string id, double wait)
    {
        using var answer = await worker.PostAsJsonAsync(
            "/worker/v1/leases",
            new
            {
                worker_id = id,
                instance = SimulatedWorker.Instance,
                slot_id = "cpu",
                free_bytes = 8L << 30,
                wait_seconds = wait,
            }
        );
        answer.EnsureSuccessStatusCode();
        return answer.StatusCode == System.Net.HttpStatusCode.NoContent
            ? null
            : JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    private static async Task<string> RegisterAsync(HttpClient worker)
    {
        var request = SimulatedWorker.Registration("idle", ModelShapes.Tiny);
        using var body = new StringContent(
            JsonSerializer.Serialize(request, Contracts.Json.ContractsJson.Default.RegisterWorkerRequest),
            System.Text.Encoding.UTF8,
            "application/json"
        );
        using var answer = await worker.PostAsync(new Uri("/worker/v1/register", UriKind.Relative), body);
        answer.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("worker_id").GetString()!;
    }
}
