using Npgsql;
using RenderFarm.Chaos.Clients;

namespace RenderFarm.Chaos.Audit;

/// <summary>
/// The tables against what clients were told, and against themselves. Plain SQL of its own: what the farm's code believes
/// about its rows is the thing under test.
/// </summary>
internal sealed class DatabaseAudit(NpgsqlDataSource database)
{
    private const string Final = "('completed', 'failed', 'cancelled', 'expired')";

    public async Task<IReadOnlyList<Finding>> RunAsync(JobLedger ledger, CancellationToken cancellationToken)
    {
        var accepted = ledger.Jobs.Values.ToList();
        var rows = await RowsAsync(cancellationToken);
        var jobs = rows.Count;
        async Task<Finding> None(string rule, string sql) => new(rule, jobs, await ListAsync(sql, cancellationToken));
        return
        [
            new(
                "every accepted job has a row",
                accepted.Count,
                [.. accepted.Where(job => !rows.ContainsKey(job.Id)).Select(job => job.Id)]
            ),
            new("no row without an accepted request", jobs, [.. rows.Keys.Where(id => !ledger.Jobs.ContainsKey(id))]),
            new(
                "the row says what the client saw",
                accepted.Count,
                [
                    .. accepted
                        .Where(job => rows.TryGetValue(job.Id, out var row) && Contradicts(job, row))
                        .Select(job => $"{job.Id}: client saw {job.Status}, row is {rows[job.Id].State}"),
                ]
            ),
            new(
                "cancelled only where a client wished it",
                jobs,
                [
                    .. rows.Where(row =>
                            row.Value.State == "cancelled"
                            && ledger.Jobs.TryGetValue(row.Key, out var job)
                            && !job.CancelSent
                            && !job.DeleteSent
                        )
                        .Select(row => row.Key),
                ]
            ),
            new(
                "a deletion that was answered stands",
                accepted.Count(job => job.DeleteAccepted),
                [
                    .. accepted
                        .Where(job => job.DeleteAccepted && rows.TryGetValue(job.Id, out var row) && !row.Deleted)
                        .Select(job => job.Id),
                ]
            ),
            await None(
                "one row for each idempotency key",
                "SELECT idempotency_key FROM jobs GROUP BY key_id, idempotency_key HAVING COUNT(*) > 1"
            ),
            await None("every job has ended", $"SELECT id || ' is ' || state FROM jobs WHERE state NOT IN {Final}"),
            await None(
                "no slot is held",
                "SELECT id || ' by ' || lease_worker_id FROM jobs WHERE lease_worker_id IS NOT NULL OR lease_slot_id IS NOT NULL OR "
                    + "lease_until IS NOT NULL"
            ),
            await None(
                "one record for each fence, from 1 without a gap",
                "SELECT j.id FROM jobs j LEFT JOIN lease_records r ON r.job_id = j.id GROUP BY j.id, j.fence HAVING COUNT(r.fence) <> "
                    + "j.fence OR MIN(r.fence) <> 1 OR MAX(r.fence) <> j.fence"
            ),
            await None("every lease has an ending", "SELECT job_id || ' fence ' || fence FROM lease_records WHERE ending IS NULL"),
            await None(
                "at most one lease completed a job, and it is the winner",
                "SELECT j.id FROM jobs j JOIN lease_records r ON r.job_id = j.id AND r.ending = 'completed' GROUP BY j.id, j.winning_fence "
                    + "HAVING COUNT(*) > 1 OR MIN(r.fence) IS DISTINCT FROM j.winning_fence"
            ),
            await None(
                "a completed job has a winner and its video",
                $"SELECT id FROM jobs WHERE state IN ('completed', 'expired') AND (winning_fence IS NULL OR artifacts NOT LIKE '%/' || "
                    + "winning_fence || '-%/video.mp4%')"
            ),
            await None(
                "nothing follows the winner",
                "SELECT job_id || ' fence ' || r.fence FROM lease_records r JOIN jobs j ON j.id = r.job_id WHERE r.fence > j.winning_fence"
            ),
            await None(
                "attempts were burnt by failures only",
                "SELECT j.id || ': ' || j.failures || ' burnt, ' || COUNT(r.fence) || ' leases failed or were lost' FROM jobs j LEFT JOIN "
                    + "lease_records r ON r.job_id = j.id AND r.ending IN ('failed', 'lost') AND r.reason <> 'cancelled' GROUP BY j.id, "
                    + "j.failures HAVING j.failures > COUNT(r.fence)"
            ),
            await None(
                "no job failed before its last attempt or its third death in a row",
                "SELECT id || ': ' || error_code FROM jobs WHERE state = 'failed' AND failures < max_attempts AND (error_code <> 'poison' "
                    + "OR deaths < 3)"
            ),
            await None(
                "an ending for every job in its events, and nothing after it",
                $"SELECT j.id FROM jobs j WHERE (SELECT e.type FROM events e WHERE e.job_id = j.id ORDER BY e.id DESC LIMIT 1) <> 'video.' "
                    + "|| j.state OR (SELECT COUNT(*) FROM events e WHERE e.job_id = j.id AND e.type IN ('video.completed', "
                    + "'video.failed', 'video.cancelled')) <> 1"
            ),
        ];
    }

    /// <summary>Key, winning fence and artifacts of what users can still download.</summary>
    public async Task<IReadOnlyDictionary<string, JobRow>> RowsAsync(CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, JobRow>(StringComparer.Ordinal);
        await using var command = database.CreateCommand("SELECT id, state, deleted_at IS NOT NULL, winning_fence, artifacts FROM jobs");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows[reader.GetString(0)] = new JobRow(
                reader.GetString(1),
                reader.GetBoolean(2),
                reader.IsDBNull(3) ? null : reader.GetInt64(3),
                reader.IsDBNull(4) ? null : reader.GetString(4)
            );
        }

        return rows;
    }

    public async Task<IReadOnlyDictionary<string, long>> CountsAsync(CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, long>();
        await using var command = database.CreateCommand(
            """
            SELECT 'jobs ' || CASE WHEN state = 'failed' THEN 'failed (' || error_code || ')' ELSE state END AS what, COUNT(*) FROM jobs
                GROUP BY 1
            UNION ALL SELECT 'leases ' || ending || COALESCE(' (' || reason || ')', ''), COUNT(*) FROM lease_records GROUP BY 1
            ORDER BY 1
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            counts[reader.GetString(0)] = reader.GetInt64(1);
        }

        return counts;
    }

    private static bool Contradicts(LedgerEntry job, JobRow row) =>
        job.Status switch
        {
            "completed" => row.State is not ("completed" or "expired"),
            "failed" => row.State is not ("failed" or "cancelled"),
            _ => false,
        };

    private async Task<IReadOnlyList<string>> ListAsync(string sql, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }
}

internal sealed record JobRow(string State, bool Deleted, long? WinningFence, string? Artifacts);
