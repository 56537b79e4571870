using Npgsql;
using RenderFarm.Chaos.Faults;
using RenderFarm.Chaos.Plan;

namespace RenderFarm.Chaos.Audit;

/// <summary>How long it took until a victim's job was on its way again, other faults in between included.</summary>
/// <param name="Seconds">Sorted.</param>
internal sealed record Figure(string What, IReadOnlyList<double> Seconds)
{
    public double? P50 => At(0.5);
    public double? P99 => At(0.99);
    public double? Max => Seconds.Count == 0 ? null : Seconds[^1];

    private double? At(double share) => Seconds.Count == 0 ? null : Seconds[(int)Math.Min(Seconds.Count - 1, Math.Floor(share * Seconds.Count))];
}

internal static class FiguresUnderFire
{
    private const string RunningElsewhere = """
        SELECT EXTRACT(EPOCH FROM rendering_at - $3)::float8 FROM lease_records
        WHERE job_id = $1 AND fence > $2 AND rendering_at IS NOT NULL AND (SELECT ending FROM lease_records WHERE job_id = $1 AND fence = $2) = 'lost' ORDER BY fence LIMIT 1
        """;

    private const string QueuedAgain = """
        SELECT EXTRACT(EPOCH FROM ended_at - $3)::float8 FROM lease_records WHERE job_id = $1 AND fence = $2 AND reason = 'renderer_crashed'
        """;

    public static async Task<IReadOnlyList<Figure>> OfAsync(NpgsqlDataSource database, IReadOnlyList<FaultRecord> records, CancellationToken cancellation) =>
    [
        new("worker killed → its job runs again, s", await SecondsAsync(database, records, FaultKind.KillWorker, RunningElsewhere, cancellation)),
        new("renderer killed → its job is queued again, s", await SecondsAsync(database, records, FaultKind.KillRenderer, QueuedAgain, cancellation)),
    ];

    private static async Task<IReadOnlyList<double>> SecondsAsync(NpgsqlDataSource database, IReadOnlyList<FaultRecord> records, FaultKind kind, string sql, CancellationToken cancellation)
    {
        var seconds = new List<double>();
        foreach (var record in records)
        {
            if (record is not { Held: { } held, BeganAt: { } began } || record.Fault.Kind != kind) continue;
            await using var command = database.CreateCommand(sql);
            command.Parameters.AddWithValue(held.JobId);
            command.Parameters.AddWithValue(held.Fence);
            command.Parameters.AddWithValue(began);
            if (await command.ExecuteScalarAsync(cancellation) is double found) seconds.Add(found);
        }
        return [.. seconds.Order()];
    }
}
