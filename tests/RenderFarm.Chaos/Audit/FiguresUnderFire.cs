using Npgsql;
using RenderFarm.Chaos.Faults;
using RenderFarm.Chaos.Plan;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Audit;

/// <summary>How long it took until a victim's job was on its way again, other faults in between included.</summary>
internal sealed record TimeUnderFire(string What, Distribution Seconds);

internal static class FiguresUnderFire
{
    /// <summary>
    /// The lease of the victim, and the next one that got as far as rendering; only where nobody but the kill ended the first.
    /// </summary>
    private const string Lost =
        "FROM lease_records r, lease_records n WHERE r.job_id = $1 AND r.fence = $2 AND r.ending = 'lost' AND n.job_id = $1 AND n.fence = "
        + "(SELECT MIN(fence) FROM lease_records WHERE job_id = $1 AND fence > $2 AND rendering_at IS NOT NULL)";

    private static readonly string RunningElsewhere = $"SELECT EXTRACT(EPOCH FROM n.rendering_at - $3)::float8 {Lost}";
    private static readonly string TakenBack = $"SELECT EXTRACT(EPOCH FROM r.ended_at - $3)::float8 {Lost}";
    private static readonly string LeasedAgain =
        $"SELECT EXTRACT(EPOCH FROM (SELECT MIN(leased_at) FROM lease_records WHERE job_id = $1 AND fence > $2) - r.ended_at)::float8 "
        + $"{Lost}";

    private const string QueuedAgain =
        "SELECT EXTRACT(EPOCH FROM ended_at - $3)::float8 FROM lease_records WHERE job_id = $1 AND fence = $2 AND reason = "
        + "'renderer_crashed'";

    public static async Task<IReadOnlyList<TimeUnderFire>> OfAsync(
        NpgsqlDataSource database,
        IReadOnlyList<FaultRecord> records,
        CancellationToken cancellationToken
    ) =>
        [
            new(
                "worker killed → its job runs again",
                await SecondsAsync(database, records, FaultKind.KillWorker, RunningElsewhere, cancellationToken)
            ),
            new(
                "worker killed → its lease is taken back",
                await SecondsAsync(database, records, FaultKind.KillWorker, TakenBack, cancellationToken)
            ),
            new(
                "lease taken back → another worker has it",
                await SecondsAsync(database, records, FaultKind.KillWorker, LeasedAgain, cancellationToken)
            ),
            new(
                "renderer killed → its job is queued again",
                await SecondsAsync(database, records, FaultKind.KillRenderer, QueuedAgain, cancellationToken)
            ),
        ];

    private static async Task<Distribution> SecondsAsync(
        NpgsqlDataSource database,
        IReadOnlyList<FaultRecord> records,
        FaultKind kind,
        string sql,
        CancellationToken cancellationToken
    )
    {
        var seconds = new List<double>();
        foreach (var record in records)
        {
            if (record is not { Held: { } held, BeganAt: { } began } || record.Fault.Kind != kind)
            {
                continue;
            }

            await using var command = database.CreateCommand(sql);
            command.Parameters.AddWithValue(held.JobId);
            command.Parameters.AddWithValue(held.Fence);
            command.Parameters.AddWithValue(began);
            if (await command.ExecuteScalarAsync(cancellationToken) is double found)
            {
                seconds.Add(found);
            }
        }
        return new Distribution(seconds);
    }
}
