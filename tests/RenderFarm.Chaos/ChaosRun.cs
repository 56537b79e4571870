using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Artifacts;
using RenderFarm.Chaos.Audit;
using RenderFarm.Chaos.Clients;
using RenderFarm.Chaos.Farm;
using RenderFarm.Chaos.Faults;
using RenderFarm.Chaos.Plan;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Results;
using RenderFarm.Testing;

namespace RenderFarm.Chaos;

/// <summary>
/// A run: 1 the farm starts, 2 clients work while the plan happens and the janitor sweeps, 3 everything is mended and
/// the farm comes to rest, 4 the audit.
/// </summary>
internal sealed class ChaosRun(ChaosOptions options, Action<string> tell)
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan JanitorEvery = TimeSpan.FromSeconds(45);
    private const int Clients = 3;

    public async Task<Ledger> RunAsync(CancellationToken cancellationToken)
    {
        var plan = FaultPlan.Draw(options.Faults, options.Seed, options.Spacing);
        var began = Stopwatch.GetTimestamp();
        Kernel.AdoptOrphans();

        // 1
        Tell($"starting the farm in {options.Home}; its logs stay there");
        await using var farm = await ChaosFarm.StartAsync(options.Home, options.IsStub, FaultPlan.Workers.Count, cancellationToken);
        using var burial = new CancellationTokenSource();
        var burying = ProcessTable.BuryAsync(burial.Token);
        Tell(
            $"{FaultPlan.Apis.Count} APIs and {FaultPlan.Workers.Count} workers run after {Stopwatch.GetElapsedTime(began).TotalSeconds:0} "
                + $"s; {plan.Count} faults over {plan[^1].At.TotalMinutes:0.0} min, seed {options.Seed}"
        );

        // 2
        var ledger = new JobLedger();
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var clients = await ClientsAsync(farm, ledger);
        var working = clients.Select(client => Task.Run(() => client.RunAsync(closing.Token), CancellationToken.None)).ToList();
        await using var database = new JobDatabase(
            new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = farm.ConnectionString }
        );
        var janitor = new ArtifactJanitor(
            database,
            farm.Store,
            new ResultAdoption(
                database,
                farm.Store,
                new ResultManifests(database, farm.Store, TimeProvider.System),
                TimeProvider.System,
                NullLogger<ResultAdoption>.Instance
            ),
            new AheadClock(ArtifactJanitor.LeastAge + TimeSpan.FromHours(1)),
            NullLogger<ArtifactJanitor>.Instance
        );
        var sweeping = SweepAsync(janitor, closing.Token);
        var injector = new FaultInjector(farm, ledger, Tell);
        try
        {
            await injector.RunAsync(plan, cancellationToken);
        }
        finally
        {
            await closing.CancelAsync();
        }
        await Task.WhenAll(working);
        var swept = await sweeping;

        // 3
        Tell("every fault is over; the farm comes to rest");
        var quiet = Stopwatch.GetTimestamp();
        var unrest = await SettleAsync(farm, clients, ledger, cancellationToken);
        Tell($"at rest after {Stopwatch.GetElapsedTime(quiet).TotalSeconds:0} s");
        swept += await SweepWholeAsync(janitor, cancellationToken);

        // 4; the server died many times since these connections were made
        farm.Database.Clear();
        var tables = new DatabaseAudit(farm.Database);
        List<Finding> findings =
        [
            new("the farm comes to rest", 1, unrest),
            new("no client saw what must not be seen", ledger.Answers.Values.Sum(), [.. ledger.Breaches]),
            .. await tables.RunAsync(ledger, cancellationToken),
            .. await new BucketAudit(farm.Store).RunAsync(await tables.RowsAsync(cancellationToken), cancellationToken),
            .. await new HostAudit(farm).RunAsync(cancellationToken),
        ];
        await burial.CancelAsync();
        await burying;
        return new Ledger
        {
            Options = options,
            Elapsed = Stopwatch.GetElapsedTime(began),
            Faults = injector.Records,
            Accepted = ledger.Jobs.Count,
            Downloads = ledger.Downloads,
            Swept = swept,
            Answers = ledger.Answers.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(),
            Counts = await tables.CountsAsync(cancellationToken),
            Figures = await FiguresUnderFire.OfAsync(farm.Database, injector.Records, cancellationToken),
            Findings = findings,
        };
    }

    private void Tell(string line)
    {
        lock (tell)
        {
            tell(line);
        }
    }

    private async Task<IReadOnlyList<Client>> ClientsAsync(ChaosFarm farm, JobLedger ledger)
    {
        using var admin = farm.Client();
        var clients = new List<Client>();
        for (var i = 1; i <= Clients; i++)
        {
            var name = $"client-{i}";
            var secret = await NewKey.MakeAsync(admin, name);
            clients.Add(new Client(name, farm.Client(secret), ledger, (options.Seed * 31) + i, "tiny"));
        }
        await Eventually.TrueAsync(
            async () => (await admin.GetStringAsync("/v1/models")).Contains("tiny", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60),
            "a worker to register its model"
        );
        return clients;
    }

    /// <summary>As often as it takes to catch it in the middle of things; its patience of a day is over at once here.</summary>
    private static async Task<int> SweepAsync(ArtifactJanitor janitor, CancellationToken cancellationToken)
    {
        var removed = 0;
        while (true)
        {
            try
            {
                await Task.Delay(JanitorEvery, TimeProvider.System, cancellationToken);
                removed += await janitor.RunOnceAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return removed;
            }
            catch (Exception away) when (away is StoreUnavailableException or ArtifactStoreException)
            {
                // As in an API: the next pass does it
            }
        }
    }

    /// <summary>A whole pass when nothing is broken any more. Connections from before the last fault may be: they are made anew.</summary>
    private static async Task<int> SweepWholeAsync(ArtifactJanitor janitor, CancellationToken cancellationToken)
    {
        var removed = await Eventually.ValueAsync(
            async () =>
            {
                try
                {
                    return await janitor.RunOnceAsync(cancellationToken);
                }
                catch (Exception away) when (away is StoreUnavailableException or ArtifactStoreException)
                {
                    return (int?)null;
                }
            },
            count => count is not null,
            TimeSpan.FromMinutes(2),
            "the janitor to get through",
            cancellationToken
        );
        return removed!.Value;
    }

    /// <returns>What did not come to rest in time.</returns>
    private static async Task<IReadOnlyList<string>> SettleAsync(
        ChaosFarm farm,
        IReadOnlyList<Client> clients,
        JobLedger ledger,
        CancellationToken cancellationToken
    )
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(SettleTime);
        try
        {
            await Task.WhenAll(clients.Select(client => client.SettleAsync(deadline.Token)));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return
            [
                $"after {SettleTime.TotalMinutes:0} minutes "
                    + $"{ledger.Jobs.Values.Count(job => job is { IsFinal: false, DeleteAccepted: false })} jobs have not ended",
            ];
        }
        try
        {
            // Deleted jobs are nobody's to look at, and hosts tidy up after the last answer
            await Eventually.ValueAsync(
                async () => string.Join("; ", await new HostAudit(farm).RestlessAsync(cancellationToken)),
                left => left.Length == 0,
                TimeSpan.FromSeconds(90),
                "the hosts to be idle and clean",
                cancellationToken
            );
            return [];
        }
        catch (TimeoutException e)
        {
            return [e.Message];
        }
    }
}
