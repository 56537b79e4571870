using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Benchmarks.Api;

/// <summary>Videos by the million, as submissions and workers would have left them.</summary>
internal static class JobsTable
{
    /// <param name="completed">Of so many videos one still waits; the others are completed.</param>
    public static async Task FillAsync(ApiFarm api, int rows, int completed)
    {
        var spec = JsonSerializer
            .Serialize(
                new RenderSpec
                {
                    Model = "tiny",
                    Prompt = "a red ball rolls to the right over a wooden table, soft light, shallow depth of field",
                    Width = 320,
                    Height = 192,
                    Frames = 17,
                    Fps = 8,
                    Steps = 20,
                    GuidanceScale = 5,
                    Shift = 3,
                    Seed = 1,
                },
                ContractsJson.Default.RenderSpec
            )
            .Replace("'", "''", StringComparison.Ordinal);
        // Every tenth video is another key's
        await api.ExecuteAsync(
            $"""
            INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, virtual_time, created_at)
                VALUES ('key_other', 'other', 'other', 3, 100, 0, now());
            INSERT INTO jobs (id, key_id, model, spec, inputs, state, stage, step, steps, best_step, priority, vram_class,
                least_vram_bytes, estimated_seconds, start_tag, order_key,
                fence, failures, max_attempts, step_downs, deaths, created_at, queued_at, started_at, finished_at, winning_fence, artifacts,
                metadata)
            SELECT 'video_' || lpad(to_hex(CAST(extract(epoch FROM now()) * 1000 AS bigint) - {rows} + i), 12, '0')
                || lpad(to_hex(i), 20, '0'), CASE WHEN i % 10 = 0 THEN 'key_other' ELSE (SELECT id FROM api_keys
                WHERE name = 'benchmark') END, 'tiny', '{spec}', '[]',
                CASE WHEN waits THEN 'queued' ELSE 'completed' END, CASE WHEN waits THEN 'queued' ELSE 'done' END,
                0, 20, 0, 50, 0, 0, 30, i * 30.0, i * 30.0 - 30000, CASE WHEN waits THEN 0 ELSE 1 END, 0, 3, 0, 0, now(), now(),
                CASE WHEN waits THEN NULL ELSE now() END, CASE WHEN waits THEN NULL ELSE now() END,
                CASE WHEN waits THEN NULL ELSE 1 END, CASE WHEN waits THEN NULL ELSE '[]' END,
                CASE WHEN i % 20 = 0 THEN json_build_object('shot', CAST(i % 1000 / 20 AS text))::text END
            FROM (SELECT i, i % {completed} = 0 AS waits FROM generate_series(1, {rows}) i) numbered;
            INSERT INTO lease_records (job_id, fence, worker_id, slot_id, model, card, worker_version, geometry, attempt, step_downs,
                leased_at, rendering_at, ended_at, ending, outcome_state)
            SELECT id, 1, 'worker_gone', 'cpu', model, 'simulated', '1', '320x192x17', 1, 0, now(), now(), now(), 'completed', 'completed'
                FROM jobs WHERE state = 'completed'
            """
        );
        await api.ExecuteAsync("VACUUM ANALYZE jobs");
        await api.ExecuteAsync("VACUUM ANALYZE job_labels");
        await api.ExecuteAsync("VACUUM ANALYZE lease_records");
    }

    /// <summary>Ids of the benchmark's own key, in no order.</summary>
    public static async Task<List<string>> SomeIdsAsync(ApiFarm api, int most)
    {
        await using var command = api.Source.CreateCommand(
            $"SELECT id FROM (SELECT id FROM jobs TABLESAMPLE BERNOULLI (LEAST(100, {most} * 200.0 / GREATEST(1, (SELECT reltuples FROM "
                + "pg_class WHERE relname = 'jobs'))::double precision)) REPEATABLE (1) WHERE key_id <> 'key_other') sampled ORDER BY "
                + $"md5(id) LIMIT {most}"
        );
        command.CommandTimeout = 600;
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<string>();
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetString(0));
        }

        return ids;
    }
}
