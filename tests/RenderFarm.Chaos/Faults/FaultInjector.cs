using System.Collections.Concurrent;
using System.Diagnostics;
using RenderFarm.Chaos.Clients;
using RenderFarm.Chaos.Farm;
using RenderFarm.Chaos.Plan;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Faults;

/// <summary>
/// Makes a plan happen. Every fault starts at its time and runs on its own, so faults overlap; only what one process or
/// server has to suffer is suffered one after the other.
/// </summary>
internal sealed class FaultInjector(ChaosFarm farm, JobLedger ledger, Action<string> tell)
{
    private static readonly TimeSpan RendererPatience = TimeSpan.FromSeconds(60);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();
    private readonly ConcurrentQueue<FaultRecord> _records = new();
    private long _began;

    public IReadOnlyList<FaultRecord> Records => [.. _records.OrderBy(record => record.Fault.Number)];

    /// <summary>Completes when the last fault has been mended.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> plan, CancellationToken cancellationToken)
    {
        _began = Stopwatch.GetTimestamp();
        var running = new List<Task>();
        foreach (var fault in plan)
        {
            var wait = fault.At - Elapsed;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, TimeProvider.System, cancellationToken);
            }

            running.Add(SufferAsync(fault, cancellationToken));
            // A fault that can't be mended ends the run at once, not after the last one
            if (running.Find(task => task.IsFaulted) is { } broken)
            {
                await broken;
            }
        }
        await Task.WhenAll(running);
    }

    private TimeSpan Elapsed => Stopwatch.GetElapsedTime(_began);

    private async Task SufferAsync(Fault fault, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd(fault.Target, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            var record = await InjectAsync(fault, cancellationToken);
            _records.Enqueue(record);
            tell(
                $"{fault.Number,4}  {record.Began.TotalSeconds,8:0.0} s  {fault.Kind,-19} {fault.Target,-9} "
                    + $"{record.NotApplied ?? record.Note}"
            );
        }
        finally
        {
            turn.Release();
        }
    }

    private Task<FaultRecord> InjectAsync(Fault fault, CancellationToken cancellationToken) =>
        fault.Kind switch
        {
            FaultKind.KillApi or FaultKind.KillWorker or FaultKind.SkewClock => KillProgramAsync(fault, cancellationToken),
            FaultKind.KillRenderer => KillRendererAsync(fault, cancellationToken),
            FaultKind.KillBroker or FaultKind.WipeBroker or FaultKind.KillDatabase or FaultKind.KillStorage => KillServerAsync(
                fault,
                cancellationToken
            ),
            FaultKind.FreezeDatabase => FreezeAsync(fault, cancellationToken),
            FaultKind.ReadOnlyDatabase => SetDatabaseAsync(fault, "default_transaction_read_only", "on", cancellationToken),
            FaultKind.LockTable => SetDatabaseAsync(fault, "statement_timeout", "'1s'", cancellationToken),
            FaultKind.AlarmBroker => AlarmAsync(fault, cancellationToken),
            FaultKind.StopWorker => StopWorkerAsync(fault, cancellationToken),
            FaultKind.DropConnections => DropAsync(fault),
            FaultKind.HalfOpenConnections => HalfOpenAsync(fault, cancellationToken),
            FaultKind.DuplicateBells or FaultKind.ReorderBells => RingAsync(fault, cancellationToken),
            FaultKind.FillDisk => FillDiskAsync(fault, cancellationToken),
            FaultKind.TakeBackLease => TakeBackAsync(fault, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, "a fault that nobody knows how to make"),
        };

    private async Task<FaultRecord> KillProgramAsync(Fault fault, CancellationToken cancellationToken)
    {
        var program = farm.Programs[fault.Target];
        if (program.HasDied)
        {
            program.Deaths.Enqueue($"{program.Name} had ended by itself before fault {fault.Number}: {program.LastWords}");
            await program.StartAsync(cancellationToken);
        }
        var held = await HeldByAsync(fault.Target, cancellationToken);
        if (fault.Kind == FaultKind.SkewClock)
        {
            farm.ClockOffsets[fault.Target] = 3600 * fault.Size;
        }

        var (began, id) = (Elapsed, program.Id);
        await program.KillAsync();
        await Task.Delay(fault.Lasts, TimeProvider.System, cancellationToken);
        await program.StartAsync(cancellationToken);
        var note = $"process {id} → {program.Id}" + (fault.Kind == FaultKind.SkewClock ? $", clock {3600 * fault.Size:+#;-#} s" : "");
        return new FaultRecord(fault, began, Elapsed, note) { Held = held?.Lease, BeganAt = held?.At };
    }

    private async Task<FaultRecord> KillRendererAsync(Fault fault, CancellationToken cancellationToken)
    {
        if (await WaitForRendererAsync(fault.Target, cancellationToken) is not { } renderer)
        {
            return new FaultRecord(fault, Elapsed, Elapsed, "", $"no renderer within {RendererPatience.TotalSeconds:0} s");
        }

        var held = await HeldByAsync(fault.Target, cancellationToken);
        var began = Elapsed;
        Kernel.Signal(renderer, Kernel.Kill);
        return new FaultRecord(fault, began, Elapsed, $"process {renderer}") { Held = held?.Lease, BeganAt = held?.At };
    }

    private async Task<FaultRecord> KillServerAsync(Fault fault, CancellationToken cancellationToken)
    {
        var began = Elapsed;
        var id = await farm.Servers.KillAsync(fault.Target, cancellationToken);
        await Task.Delay(fault.Lasts, TimeProvider.System, cancellationToken);
        await farm.Servers.StartAgainAsync(fault.Target, fault.Kind == FaultKind.WipeBroker, cancellationToken);
        return new FaultRecord(fault, began, Elapsed, $"process {id}, away for {(Elapsed - began).TotalSeconds:0.0} s");
    }

    private async Task<FaultRecord> FreezeAsync(Fault fault, CancellationToken cancellationToken)
    {
        var began = Elapsed;
        var frozen = await farm.Servers.FreezeAsync(fault.Target, cancellationToken);
        try
        {
            await Task.Delay(fault.Lasts, TimeProvider.System, cancellationToken);
        }
        finally
        {
            await farm.Servers.ThawAsync(fault.Target, CancellationToken.None);
        }

        return new FaultRecord(fault, began, Elapsed, $"{frozen} processes for {fault.Lasts.TotalSeconds:0.0} s");
    }

    private async Task<FaultRecord> SetDatabaseAsync(Fault fault, string setting, string value, CancellationToken cancellationToken)
    {
        var (began, lockTable) = (Elapsed, fault.Kind == FaultKind.LockTable);
        var ended = await farm.Servers.SetDatabaseAsync(setting, value, lockTable, fault.Lasts, cancellationToken);
        return new FaultRecord(fault, began, Elapsed, $"{setting} = {value} for {fault.Lasts.TotalSeconds:0.0} s, {ended} sessions ended");
    }

    private async Task<FaultRecord> AlarmAsync(Fault fault, CancellationToken cancellationToken)
    {
        var began = Elapsed;
        await farm.Servers.AlarmBrokerAsync(fault.Lasts, cancellationToken);
        return new FaultRecord(fault, began, Elapsed, $"no memory for {fault.Lasts.TotalSeconds:0.0} s");
    }

    private async Task<FaultRecord> StopWorkerAsync(Fault fault, CancellationToken cancellationToken)
    {
        await WaitForRendererAsync(fault.Target, cancellationToken);
        var worker = farm.Programs[fault.Target].Id;
        var held = await HeldByAsync(fault.Target, cancellationToken);
        var all = fault.Size == 1 ? ProcessTable.Below(worker).Select(process => process.Id).Prepend(worker).ToList() : [worker];
        var began = Elapsed;
        foreach (var process in all)
        {
            Kernel.Signal(process, Kernel.Stop);
        }

        await Task.Delay(fault.Lasts, TimeProvider.System, cancellationToken);
        foreach (var process in all)
        {
            Kernel.Signal(process, Kernel.Continue);
        }

        return new FaultRecord(
            fault,
            began,
            Elapsed,
            $"{(fault.Size == 1 ? $"with its {all.Count - 1} children" : "alone")} for {fault.Lasts.TotalSeconds:0} s"
        )
        {
            Held = held?.Lease,
            BeganAt = held?.At,
        };
    }

    private Task<FaultRecord> DropAsync(Fault fault)
    {
        var began = Elapsed;
        return Task.FromResult(new FaultRecord(fault, began, Elapsed, $"{farm.Links[fault.Target].Drop()} connections"));
    }

    private async Task<FaultRecord> HalfOpenAsync(Fault fault, CancellationToken cancellationToken)
    {
        var began = Elapsed;
        var silenced = await farm.Links[fault.Target].HalfOpenAsync(fault.Lasts, cancellationToken);
        return new FaultRecord(fault, began, Elapsed, $"{silenced} connections for {fault.Lasts.TotalSeconds:0.0} s");
    }

    /// <summary>Old bells and new ones, of jobs in every state, in the wrong order and many times over.</summary>
    private async Task<FaultRecord> RingAsync(Fault fault, CancellationToken cancellationToken)
    {
        var began = Elapsed;
        var jobs = ledger
            .Jobs.Keys.Order(StringComparer.Ordinal)
            .TakeLast(fault.Kind == FaultKind.DuplicateBells ? 3 : 20)
            .Reverse()
            .ToList();
        var tries = 1;
        while (!await BellReplay.TryRingAsync(farm.Servers.Broker, jobs, fault.Size, cancellationToken))
        {
            tries++; // The broker is away: the plan meant bells, not silence
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
        }
        return new FaultRecord(fault, began, Elapsed, $"{jobs.Count} bells, {fault.Size} times each{(tries > 1 ? $", try {tries}" : "")}");
    }

    private async Task<FaultRecord> FillDiskAsync(Fault fault, CancellationToken cancellationToken)
    {
        var disk = farm.Disks[fault.Target];
        if (!disk.CanBeFilled)
        {
            return new FaultRecord(fault, Elapsed, Elapsed, "", "mounting a small disk takes root");
        }

        await WaitForRendererAsync(fault.Target, cancellationToken);
        var began = Elapsed;
        await disk.FillAsync(cancellationToken);
        await Task.Delay(fault.Lasts, TimeProvider.System, cancellationToken);
        disk.Free();
        return new FaultRecord(fault, began, Elapsed, $"full for {fault.Lasts.TotalSeconds:0.0} s");
    }

    private async Task<FaultRecord> TakeBackAsync(Fault fault, CancellationToken cancellationToken)
    {
        await WaitForRendererAsync(fault.Target, cancellationToken);
        var began = Elapsed;
        if (await HeldByAsync(fault.Target, cancellationToken) is not { Lease: var lease })
        {
            return new FaultRecord(fault, began, Elapsed, "", $"{fault.Target} holds nothing");
        }

        try
        {
            await using var command = farm.Database.CreateCommand(
                """
                WITH taken AS (
                    UPDATE jobs SET state = 'queued', stage = 'queued', step = 0, steps = 0, fence = fence - 1,
                        token = (SELECT r.token FROM lease_records r WHERE r.job_id = jobs.id AND r.fence = jobs.fence - 1),
                        lease_worker_id = NULL, lease_slot_id = NULL, lease_until = NULL
                    WHERE id = $1 AND fence = $2 AND state IN ('leased', 'rendering') RETURNING id)
                DELETE FROM lease_records r USING taken WHERE r.job_id = taken.id AND r.fence = $2
                """
            );
            command.Parameters.AddWithValue(lease.JobId);
            command.Parameters.AddWithValue(lease.Fence);
            var took = await command.ExecuteNonQueryAsync(cancellationToken) == 1;
            return new FaultRecord(fault, began, Elapsed, $"{lease.JobId} fence {lease.Fence}", took ? null : "the lease had just ended");
        }
        catch (Npgsql.NpgsqlException away)
        {
            return new FaultRecord(fault, began, Elapsed, "", $"the database is away: {away.Message}");
        }
    }

    private async Task<int?> WaitForRendererAsync(string worker, CancellationToken cancellationToken)
    {
        try
        {
            return await Eventually.ValueAsync(
                () => Task.FromResult(farm.Renderers(worker).Cast<int?>().FirstOrDefault()),
                found => found is not null,
                RendererPatience,
                $"a renderer of {worker}",
                cancellationToken
            );
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>What a worker holds in rendering; null when nothing, or when the database can't be asked just now.</summary>
    private async Task<((string JobId, long Fence) Lease, DateTimeOffset At)?> HeldByAsync(
        string worker,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var command = farm.Database.CreateCommand(
                "SELECT j.id, j.fence, clock_timestamp() FROM jobs j JOIN workers w ON w.id = j.lease_worker_id WHERE w.name = $1 AND "
                    + "j.state IN ('leased', 'rendering') LIMIT 1"
            );
            command.Parameters.AddWithValue(worker);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken)
                ? ((reader.GetString(0), reader.GetInt64(1)), await reader.GetFieldValueAsync<DateTimeOffset>(2, cancellationToken))
                : null;
        }
        catch (Npgsql.NpgsqlException)
        {
            return null;
        }
    }
}
