using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Persistence;

public sealed class UpgradeOnSqlite() : UpgradeFacts(new SqliteStore());

public sealed class UpgradeOnPostgres() : UpgradeFacts(new PostgresStore());

/// <summary>A database with rows in it, from an earlier schema to this one.</summary>
public abstract class UpgradeFacts(StoreUnderTest store) : IAsyncDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MigrateAsync_RowsFromBeforeThereWereTokens_AreKeptAndTheirLeasesRunOut()
    {
        var options = await store.CreateEmptyAsync();
        await using (var database = new JobDatabase(options))
        {
            await database.ReadAsync(
                async db =>
                {
                    await db.GetService<IMigrator>().MigrateAsync("Initial", Stop);
                    await db.ExecuteAsync(Rows(db.Dialect.Now), Stop);
                    return true;
                },
                Stop
            );
            await database.MigrateAsync(Stop);
        }

        // Its reaper passes as it is opened
        await using var farm = await TestFarm.OpenAsync(options);

        var leases = (await farm.Jobs.LeasesAsync("video_held", JobScope.All, Stop))!;
        Assert.Equal([LeaseEnding.Lost, LeaseEnding.Lost], leases.Select(lease => lease.Ending!.Value));
        var kept = await farm.GetAsync("video_kept");
        Assert.Equal(("videos/video_kept/1/video.mp4", ""), (kept.Artifacts.Single().Key, kept.Lease.Digest));
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A job under its second lease, whose time is over, and one that has completed.</summary>
    private static string Rows(string now) =>
        $$"""
            INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, virtual_time, created_at)
                VALUES ('key', 'key', 'hash', 1, 100, 0, {{now}});
            INSERT INTO jobs (id, key_id, model, spec, inputs, state, stage, step, steps, best_step, priority, vram_class, least_vram_bytes,
                estimated_seconds, start_tag, order_key, fence, failures, max_attempts, step_downs, deaths, created_at, queued_at,
                lease_worker_id, lease_slot_id, lease_until, winning_fence, artifacts, finished_at)
            VALUES ('video_held', 'key', 'demo', '{{Spec}}', '[]', 'rendering', 'denoising', 1, 4, 0, 50, 0, 0, 1, 0, 0, 2, 1, 3, 0, 1,
                    {{now}}, {{now}}, 'worker_1', 'cpu', {{now}}, NULL, NULL, NULL),
                ('video_kept', 'key', 'demo', '{{Spec}}', '[]', 'completed', 'done', 4, 4, 0, 50, 0, 0, 1, 0, 0, 1, 0, 3, 0, 0,
                    {{now}}, {{now}}, NULL, NULL, NULL, 1,
                    '[{"kind":"video","key":"videos/video_kept/1/video.mp4","content_type":"video/mp4","size_bytes":1,"sha256":"00"}]',
                    {{now}});
            INSERT INTO lease_records (job_id, fence, worker_id, slot_id, model, card, worker_version, attempt, step_downs, leased_at,
                ended_at, ending, outcome_state)
            VALUES ('video_held', 1, 'worker_1', 'cpu', 'demo', 'cpu', '1', 1, 0, {{now}}, {{now}}, 'lost', 'queued'),
                ('video_held', 2, 'worker_1', 'cpu', 'demo', 'cpu', '1', 2, 0, {{now}}, NULL, NULL, NULL),
                ('video_kept', 1, 'worker_1', 'cpu', 'demo', 'cpu', '1', 1, 0, {{now}}, {{now}}, 'completed', 'completed');
            """;

    private const string Spec =
        """{"model":"demo","prompt":"p","width":64,"height":64,"frames":5,"fps":8,"steps":4,"guidance_scale":5,"shift":3,"seed":1}""";
}
