using Npgsql;
using RenderFarm.Chaos.Audit;
using RenderFarm.Chaos.Clients;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Tests.Audit;

/// <summary>An audit that can't fail proves nothing: each rule is broken once, by hand, and must be the one that says so.</summary>
public sealed class DatabaseAuditTests : IAsyncLifetime
{
    private const string Id = "video_1";
    private PostgresDatabase _database = null!;
    private NpgsqlDataSource _source = null!;
    private readonly JobLedger _ledger = new();

    public static TheoryData<string, string> Breaches =>
        new()
        {
            { "DELETE FROM lease_records; DELETE FROM jobs", "every accepted job has a row" },
            {
                "INSERT INTO jobs SELECT (jsonb_populate_record(j, '{\"id\":\"video_2\",\"idempotency_key\":null}')).* FROM jobs j",
                "no row without an accepted request"
            },
            { "UPDATE jobs SET state = 'cancelled', winning_fence = NULL", "the row says what the client saw" },
            { "UPDATE jobs SET state = 'cancelled', winning_fence = NULL", "cancelled only where a client wished it" },
            {
                "UPDATE jobs SET state = 'rendering', winning_fence = NULL, finished_at = NULL, lease_worker_id = 'w', lease_slot_id = "
                    + "'s', lease_until = now(), token = 't'",
                "every job has ended"
            },
            {
                "UPDATE jobs SET state = 'rendering', winning_fence = NULL, finished_at = NULL, lease_worker_id = 'w', lease_slot_id = "
                    + "'s', lease_until = now(), token = 't'",
                "no slot is held"
            },
            { "DELETE FROM lease_records WHERE fence = 1", "one record for each fence, from 1 without a gap" },
            {
                "UPDATE lease_records SET ending = NULL, ended_at = NULL, outcome_state = NULL WHERE fence = 1",
                "every lease has an ending"
            },
            { "UPDATE lease_records SET ending = 'completed' WHERE fence = 1", "at most one lease completed a job, and it is the winner" },
            { "UPDATE jobs SET artifacts = '[]'", "a completed job has a winner and its video" },
            { "UPDATE jobs SET winning_fence = 1", "nothing follows the winner" },
            { "UPDATE jobs SET failures = 2", "attempts were burnt by failures only" },
            {
                "UPDATE jobs SET state = 'failed', winning_fence = NULL, error_code = 'transient'",
                "no job failed before its last attempt or its third death in a row"
            },
            {
                "INSERT INTO events (job_id, key_id, model, type, state, occurred_at) SELECT job_id, key_id, model, 'video.queued', "
                    + "'queued', now() FROM events",
                "an ending for every job in its events, and nothing after it"
            },
        };

    [Fact]
    public async Task Run_AFarmInOrder_HoldsEveryRule()
    {
        Assert.All(await AuditAsync(), finding => Assert.True(finding.Holds, $"{finding.Rule}: {string.Join(", ", finding.Breaches)}"));
    }

    [Theory]
    [MemberData(nameof(Breaches))]
    public async Task Run_RuleBrokenByHand_IsNamed(string sql, string rule)
    {
        await ExecuteAsync(sql);

        Assert.Contains(await AuditAsync(), finding => finding.Rule == rule && !finding.Holds);
    }

    [Fact]
    public async Task Run_DeletionThatDidNotLast_IsNamed()
    {
        _ledger.Jobs[Id].DeleteAccepted = true;

        Assert.Contains(await AuditAsync(), finding => finding.Rule == "a deletion that was answered stands" && !finding.Holds);
    }

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresDatabase.CreateAsync(Cancellation);
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
        await using var jobs = new JobDatabase(
            new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = _database.ConnectionString }
        );
        await jobs.MigrateAsync(Cancellation);
        // As it stands after one lost lease and one that completed
        await ExecuteAsync(
            $"""
            INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, virtual_time, created_at)
                VALUES ('key', 'key', 'hash', 1, 100, 0, now());
            INSERT INTO jobs (id, key_id, model, spec, inputs, state, stage, step, steps, best_step, priority, vram_class,
                least_vram_bytes, estimated_seconds, start_tag, order_key,
                fence, failures, max_attempts, step_downs, deaths, winning_fence, artifacts, created_at, queued_at,
                finished_at, idempotency_key)
            VALUES ('{Id}', 'key', 'tiny', '{"{}"}', '[]', 'completed', 'done', 2, 2, 0, 50, 0, 0, 1, 0, 0, 2, 1, 10, 0, 0, 2,
                '[{"{"}"key":"videos/{Id}/2-0a1b2c3d4e5f/video.mp4"{"}"}]', now(), now(), now(), 'client-1-1');
            INSERT INTO lease_records (job_id, fence, worker_id, slot_id, model, card, worker_version, attempt, step_downs, leased_at,
                ended_at, ending, reason, outcome_state)
            VALUES ('{Id}', 1, 'w', 'cpu', 'tiny', 'cpu', '1', 1, 0, now(), now(), 'lost', 'worker_lost', 'queued'), ('{Id}', 2, 'w',
                'cpu', 'tiny', 'cpu', '1', 2, 0, now(), now(), 'completed', NULL, 'completed');
            INSERT INTO events (job_id, key_id, model, type, state, occurred_at) VALUES ('{Id}', 'key', 'tiny', 'video.queued', 'queued',
                now()), ('{Id}', 'key', 'tiny', 'video.completed', 'completed', now());
            """
        );
        _ledger.Accepted(new LedgerEntry(Id, "client-1-1", "client-1") { Status = "completed" });
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Task<IReadOnlyList<Finding>> AuditAsync() => new DatabaseAudit(_source).RunAsync(_ledger, Cancellation);

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
