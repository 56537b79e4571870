using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Tests;

/// <summary>A store, and queues in it that are gone again after each question.</summary>
internal sealed class RandomQueue : IAsyncDisposable
{
    private const double Now = 5_000;
    private static readonly string[] Models = ["t2v-1-3b", "t2v-14b", "ti2v-5b"];
    private static readonly int[] Classes = [0, 6, 12, 24];
    private static readonly string[] Workers = ["worker_one", "worker_two"];
    private static readonly string[] Slots = ["gpu0", "gpu1"];
    private readonly SqliteConnection _connection = new("Data Source=:memory:");
    private readonly SqliteJobsDbContext _db;
    private readonly Dictionary<string, SqliteCommand> _prepared = [];
    private readonly CardPark _park = new([new CardKind("RTX 4090", 1)], 1, Models, spotShare: 0, new Random(1));

    private RandomQueue()
    {
        _connection.Open();
        _connection.CreateFunction("unixepoch", (string _) => Moments.UnixSeconds(Now));
        _db = new SqliteJobsDbContext(new DbContextOptionsBuilder<SqliteJobsDbContext>().UseSqlite(_connection).Options);
    }

    public static async Task<RandomQueue> CreateAsync()
    {
        var queue = new RandomQueue();
        await queue._db.Database.MigrateAsync();
        return queue;
    }

    /// <summary>What the statement takes from the queue of a seed, and what its twin does; null: nothing.</summary>
    public async Task<(string? Store, string? Twin)> AskAsync(int seed)
    {
        var random = new Random(seed);
        var twin = new FarmOrder(_park);
        await using var transaction = await _db.Database.BeginTransactionAsync();
        var customers = Enumerable
            .Range(0, 1 + random.Next(4))
            .Select(i => new Customer(i, random.Next(3) == 0 ? random.Next(3) : null))
            .ToList();
        foreach (var customer in customers)
        {
            await ExecuteAsync(
                "INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, max_running, virtual_time, day, day_jobs, created_at) "
                    + "VALUES ($id, $id, $id, 3, 100, $most, 0, 0, 0, 0)",
                ("$id", customer.KeyId),
                ("$most", (object?)customer.MaxRunning ?? DBNull.Value)
            );
            twin.SetRunning(customer, random.Next(3));
        }

        var jobs = random.Next(24);
        for (var number = 0; number < jobs; number++)
        {
            await PutAsync(twin, NewJob(number, customers[random.Next(customers.Count)], random), random);
        }

        foreach (var customer in customers)
        {
            for (var i = 0; i < twin.RunningOf(customer); i++)
            {
                await InsertAsync(NewJob(1_000 + (customer.Number * 10) + i, customer, random), 0, JobState.Rendering, null, null);
            }
        }

        await PauseAsync(twin, customers, random);
        var offer = NewOffer(random);
        var taken = await JobTransitions.TakeAsync(_db, offer, TestContext.Current.CancellationToken);
        await transaction.RollbackAsync();
        return (taken?.Lease.JobId, twin.Take(offer, Now)?.Id);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _prepared.Values)
        {
            await command.DisposeAsync();
        }

        await _db.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static VideoJob NewJob(int number, Customer customer, Random random) =>
        new(
            number,
            customer,
            new VideoKind(
                "any",
                1,
                new JobNeeds(Models[random.Next(Models.Length)], Classes[random.Next(Classes.Length)], random.Next(0, 30), 30),
                VideoKind.Mixed[0].Spec,
                _ => 30
            ),
            random.Next(0, 4) * 25,
            0
        );

    private static SlotOffer NewOffer(Random random) =>
        new()
        {
            WorkerId = Workers[random.Next(2)],
            SlotId = Slots[random.Next(2)],
            FreeBytes = random.Next(5, 40),
            Queues =
            [
                .. Models
                    .SelectMany(model => Classes.Select(vramClass => (model, vramClass)))
                    .Where(_ => random.Next(5) > 0)
                    .Select(queue => (queue.model, queue.vramClass, random.Next(2) == 0, (Elsewhere)random.Next(3))),
            ],
            CachedModels = random.Next(2) == 0 ? [Models[random.Next(Models.Length)]] : [],
            CachedHeadStartSeconds = FarmOrder.CachedHeadStartSeconds,
            LeaseSeconds = 60,
        };

    /// <summary>Many have equal tags, so that ties are met as well.</summary>
    private async Task PutAsync(FarmOrder twin, VideoJob job, Random random)
    {
        var tag = random.Next(6) * 30.0;
        double? notBefore = random.Next(5) == 0 ? random.Next(-2, 3) * 10 : null;
        var avoided =
            random.Next(4) == 0
                ? new Avoided(Workers[random.Next(2)], Slots[random.Next(2)], Moments.Microseconds(Now, random.Next(-1, 2) * 60))
                : null;
        twin.Put(job, tag, notBefore, avoided, Now);
        await InsertAsync(job, tag, JobState.Queued, notBefore is { } after ? Moments.Microseconds(Now, after) : null, avoided);
    }

    private async Task PauseAsync(FarmOrder twin, List<Customer> customers, Random random)
    {
        if (random.Next(4) > 0)
        {
            return;
        }

        var pause = (
            Model: random.Next(2) == 0 ? "" : Models[random.Next(Models.Length)],
            KeyId: random.Next(3) == 0 ? "" : customers[random.Next(customers.Count)].KeyId
        );
        twin.Pauses.Add(pause);
        await ExecuteAsync(
            "INSERT INTO queue_pauses (model, key_id, since) VALUES ($model, $key, 0)",
            ("$model", pause.Model),
            ("$key", pause.KeyId)
        );
    }

    private Task InsertAsync(VideoJob job, double tag, JobState state, long? notBefore, Avoided? avoided)
    {
        var held = state != JobState.Queued;
        return ExecuteAsync(
            """
            INSERT INTO jobs (id, key_id, model, spec, inputs, state, stage, step, steps, best_step, priority, vram_class, least_vram_bytes,
                estimated_seconds, start_tag, order_key, not_before, avoid_worker_id, avoid_slot_id, avoid_until, fence, token,
                lease_worker_id, lease_slot_id, lease_until, failures, max_attempts, step_downs, deaths, created_at, queued_at)
            VALUES ($id, $key, $model, '{}', '[]', $state, 'queued', 0, 0, 0, $priority, $class, $least, 30, $tag, $order, $not_before,
                $avoid_worker, $avoid_slot, $avoid_until, $fence, $token, $token, $token, $until, 0, 3, 0, 0, 0, 0)
            """,
            ("$id", job.Id),
            ("$key", job.Customer.KeyId),
            ("$model", job.Kind.Needs.Model),
            ("$state", held ? "rendering" : "queued"),
            ("$priority", job.Priority),
            ("$class", job.Kind.Needs.VramClass),
            ("$least", job.Kind.Needs.LeastBytes),
            ("$tag", tag),
            ("$order", OrderKey.Of(tag, job.Priority)),
            ("$not_before", (object?)notBefore ?? DBNull.Value),
            ("$avoid_worker", (object?)avoided?.WorkerId ?? DBNull.Value),
            ("$avoid_slot", (object?)avoided?.SlotId ?? DBNull.Value),
            ("$avoid_until", (object?)avoided?.Until ?? DBNull.Value),
            ("$fence", held ? 1 : 0),
            ("$until", held ? 1 : DBNull.Value),
            ("$token", held ? "held" : DBNull.Value)
        );
    }

    private async Task ExecuteAsync(string sql, params (string Name, object Value)[] arguments)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            _prepared[sql] = command = _connection.CreateCommand();
            command.CommandText = sql;
            command.Parameters.AddRange(arguments.Select(argument => new SqliteParameter { ParameterName = argument.Name }));
        }

        command.Transaction = (SqliteTransaction?)_db.Database.CurrentTransaction?.GetDbTransaction();
        foreach (var (name, value) in arguments)
        {
            command.Parameters[name].Value = value;
        }

        await command.ExecuteNonQueryAsync();
    }
}
