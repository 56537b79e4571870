using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Retries;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Farm;

/// <summary>The whole of the project over one store, with verbs. Its clock stands still; the database's does not.</summary>
public sealed class TestFarm : IAsyncDisposable
{
    public const long GiB = 1L << 30;

    private TestFarm(StoreOptions store)
    {
        Database = new JobDatabase(store);
        Signal = new JobSignal(Time);
        Announcer = new JobAnnouncer(Signal);
        Retries = new RetryPolicy(() => 0);
        Workers = new WorkerRegistry(Database, Time);
        Quarantines = new SlotQuarantines(Database, Workers, Time);
        Endings = new LeaseEndings(Database, Retries, Announcer, Quarantines, Time);
        Desk = new LeaseDesk(Database, Workers, Signal, Endings, new PlanCorrections(Database, Time), new LeaseSettings(), Time);
        Forecast = new QueueForecast(Database, Workers, new RenderTimes(Database, Time), Time);
        Jobs = new JobStore(Database, new JobSubmission(Database, Announcer, Forecast, Time), Announcer, Time);
        Keys = new ApiKeys(Database, Time);
        Ringer = new BellRinger(Announcer, Bell, Time, NullLogger<BellRinger>.Instance);
        Reaper = new LeaseReaper(Database, Endings, Workers, new LeaseSettings(), Time);
        Clock = new FairClock(Database, Workers);
        Relay = new BellRelay(Database, Workers, Ringer, Signal, Time);
        Events = new EventLog(Database, Time);
    }

    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());
    public JobDatabase Database { get; }
    public JobSignal Signal { get; }
    public JobAnnouncer Announcer { get; }
    public RetryPolicy Retries { get; }
    public LeaseEndings Endings { get; }
    public WorkerRegistry Workers { get; }
    public SlotQuarantines Quarantines { get; }
    public JobStore Jobs { get; }
    public LeaseDesk Desk { get; }
    public QueueForecast Forecast { get; }
    public ApiKeys Keys { get; }
    public RecordingBell Bell { get; } = new();
    public BellRinger Ringer { get; }
    public LeaseReaper Reaper { get; }
    public FairClock Clock { get; }
    public BellRelay Relay { get; }
    public EventLog Events { get; }
    public string Key { get; private set; } = "";
    public string Worker { get; private set; } = "";

    /// <summary>What workers register with.</summary>
    public ApiKey WorkerKey { get; private set; } = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<TestFarm> OpenAsync(StoreOptions store)
    {
        var farm = new TestFarm(store);
        farm.Key = await farm.NewKeyAsync("tester");
        farm.WorkerKey = await farm.NewWorkerKeyAsync();
        farm.Worker = await farm.RegisterAsync("rack-1", "demo");
        await farm.PassGraceAsync();
        for (var i = 0; i < 3; i++)
        {
            farm.Time.Advance(TimeSpan.FromSeconds(10));
            await farm.ReapAsync();
        }

        return farm;
    }

    public async Task<string> NewKeyAsync(string name) =>
        (await Keys.CreateAsync(name, KeyScopes.Submit | KeyScopes.Read, 100, Stop)).Key.Id;

    public async Task<ApiKey> NewWorkerKeyAsync() => (await Keys.CreateAsync("workers", KeyScopes.Worker, 0, Stop)).Key;

    /// <summary>A worker with a CPU slot and a 24 GiB card.</summary>
    public Task<string> RegisterAsync(string name, params string[] models) => RegisterAsync(Registration(name, models));

    public Task<string> RegisterAsync(RegisterWorkerRequest request, ApiKey? key = null) =>
        Workers.RegisterAsync(request, key ?? WorkerKey, Stop);

    public static RegisterWorkerRequest Registration(string name, params string[] models) =>
        new()
        {
            Protocol = WorkerProtocol.Current,
            Identity = SimulatedWorker.IdentityOf(name),
            Instance = SimulatedWorker.Instance,
            Name = name,
            Host = "test",
            Version = "1",
            Slots =
            [
                new SlotDescription
                {
                    Id = "cpu",
                    Kind = SlotKind.Cpu,
                    Card = "processor",
                    TotalBytes = 8 * GiB,
                },
                new SlotDescription
                {
                    Id = "gpu0",
                    Kind = SlotKind.Cuda,
                    Card = "card",
                    TotalBytes = 24 * GiB,
                },
            ],
            Models =
            [
                .. models.Select(id => new ModelRegistration(id, ModelShapes.Demo with { Id = id }, new Dictionary<string, string>())),
            ],
        };

    public NewJob NewJob(string model = "demo") =>
        new()
        {
            Id = JobIds.New(Time),
            KeyId = Key,
            Spec = new RenderSpec
            {
                Model = model,
                Prompt = "a red ball",
                Width = 64,
                Height = 64,
                Frames = 5,
                Fps = 8,
                Steps = 4,
                GuidanceScale = 5,
                Shift = 3,
                Seed = 1,
            },
            VramClass = 0,
            LeastVramBytes = 0,
            EstimatedSeconds = 10,
        };

    public async Task<Job> SubmitAsync(NewJob? job = null) => (await Jobs.SubmitAsync(job ?? NewJob(), Stop)).Job;

    public async Task<LeasedJob?> TryLeaseAsync(string slot = "cpu", long free = 8 * GiB, string? worker = null) =>
        await Desk.LeaseAsync(
            new LeaseRequest
            {
                Instance = SimulatedWorker.Instance,
                WorkerId = worker ?? Worker,
                SlotId = slot,
                FreeBytes = free,
            },
            Stop
        )
            is LeaseResult.Granted granted
            ? granted.Job
            : null;

    public async Task<LeasedJob> LeaseAsync(string slot = "cpu", long free = 8 * GiB) =>
        await TryLeaseAsync(slot, free) ?? throw new InvalidOperationException("nothing to lease");

    public Task<RenewReply?> RenewAsync(LeasedJob lease, RenderStage stage, int step = 0) =>
        Desk.RenewAsync(
            new(
                lease.Lease,
                new RenewRequest
                {
                    Stage = stage,
                    Step = step,
                    Steps = 4,
                }
            ),
            Stop
        );

    public Task<LeaseOutcome?> CompleteAsync(LeasedJob lease) =>
        Desk.CompleteAsync(
            new(
                lease.Lease,
                new CompleteRequest
                {
                    Artifacts =
                    [
                        new Artifact(ArtifactKind.Video, ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name), "video/mp4", 1234, "00"),
                    ],
                    Measurements = new Measurements { StepSeconds = 0.5, PeakBytes = 1000 },
                    LogTail = "all well",
                }
            ),
            Stop
        );

    public Task<LeaseOutcome?> FailAsync(LeasedJob lease, FailureReason reason, bool progressed = false) =>
        Desk.FailAsync(
            new(
                lease.Lease,
                new FailRequest
                {
                    Reason = reason,
                    Message = $"it was {reason}",
                    Progressed = progressed,
                }
            ),
            Stop
        );

    public Task<LeaseOutcome?> ReleaseAsync(LeasedJob lease) =>
        Desk.ReleaseAsync(new(lease.Lease, new ReleaseRequest { Reason = ReleaseReason.Draining }), Stop);

    public async Task<Job> GetAsync(string id) =>
        await Jobs.GetAsync(id, JobScope.All, Stop) ?? throw new InvalidOperationException($"{id} is not there");

    /// <summary>
    /// A pass of the reaper while all is well: the worker was heard of just now, and the pass before was a moment ago by the
    /// database's clock, however slow the test is.
    /// </summary>
    public async Task<int> ReapAsync()
    {
        await Workers.SeenAsync(Worker, Stop);
        return await ReapUnheardAsync(Reaper);
    }

    /// <summary>The same without a word from any worker.</summary>
    public async Task<int> ReapUnheardAsync(LeaseReaper reaper)
    {
        await LastPassAsync(TimeSpan.Zero);
        return await reaper.RunOnceAsync(Stop);
    }

    /// <summary>When a reaper passed last, in whatever process, by the database's clock.</summary>
    public Task LastPassAsync(TimeSpan ago) =>
        Database.WriteAsync(
            db =>
                db.ExecuteAsync(
                    $"UPDATE sweep_passes SET passed_at = {db.Dialect.NowPlus("@seconds")}",
                    Stop,
                    ("seconds", -ago.TotalSeconds)
                ),
            Stop
        );

    /// <summary>The looks at which the reaper spares what it finds, as after its start.</summary>
    public async Task PassGraceAsync()
    {
        for (var look = 0; look <= LeaseReaper.GraceLooks; look++)
        {
            await ReapAsync();
        }
    }

    /// <summary>The lease is over by the database's clock.</summary>
    public Task ExpireLeaseAsync(string id) =>
        SqlAsync(dialect => $"UPDATE jobs SET lease_until = {dialect.NowPlus("-1")} WHERE id = @id", id);

    /// <summary>rack-1 with the slot <c>cpu</c> alone: a job that failed there has nowhere else to go.</summary>
    public Task OneSlotAsync()
    {
        var whole = Registration("rack-1", "demo");
        return RegisterAsync(whole with { Slots = [whole.Slots[0]] });
    }

    /// <summary>The back-off is over by the database's clock, and so is the time in which the job goes elsewhere.</summary>
    public async Task EndBackOffAsync(string id)
    {
        await EndPauseAsync(id);
        await SqlAsync(dialect => $"UPDATE jobs SET avoid_until = {dialect.NowPlus("-1")} WHERE id = @id AND avoid_until IS NOT NULL", id);
    }

    /// <summary>The back-off alone.</summary>
    public Task EndPauseAsync(string id) =>
        SqlAsync(dialect => $"UPDATE jobs SET not_before = {dialect.NowPlus("-1")} WHERE id = @id AND state = 'queued'", id);

    /// <summary>The job's newest lease was never granted, as far as the database knows: its rows are as they were before.</summary>
    public async Task TakeBackLeaseAsync(string id)
    {
        await SqlAsync(
            _ =>
                """
                DELETE FROM lease_records WHERE job_id = @id AND fence = (SELECT fence FROM jobs WHERE id = @id)
                """,
            id
        );
        await SqlAsync(
            _ =>
                """
                UPDATE jobs SET state = 'queued', stage = 'queued', step = 0, steps = 0, fence = fence - 1, token = (
                    SELECT r.token FROM lease_records r WHERE r.job_id = jobs.id AND r.fence = jobs.fence - 1),
                    lease_worker_id = NULL, lease_slot_id = NULL, lease_until = NULL
                WHERE id = @id
                """,
            id
        );
    }

    internal Task SqlAsync(Func<SqlDialect, string> sql, string id) =>
        Database.WriteAsync(db => db.ExecuteAsync(sql(db.Dialect), Stop, ("id", id)), Stop);

    public async Task<string[]> EventTypesAsync(string id)
    {
        await Events.PlaceAsync(Stop);
        return [.. (await Events.OfJobAsync(id, 0, Stop)).Select(told => Word.Of(told.Event.Type))];
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}

/// <summary>A broker that notes what was rung, and can be switched off.</summary>
public sealed class RecordingBell : IBell
{
    public System.Collections.Concurrent.ConcurrentBag<string> Rung { get; } = [];
    public bool Down { get; set; }

    public Task RingAsync(string jobId, int vramClass, CancellationToken cancellationToken)
    {
        if (Down)
        {
            throw new IOException("the broker is down");
        }

        Rung.Add(jobId);
        return Task.CompletedTask;
    }
}

/// <summary>Facts that hold on every store: a subclass names the store.</summary>
public abstract class FarmFacts(StoreUnderTest store) : IAsyncLifetime
{
    private TestFarm? _farm;

    protected TestFarm Farm => _farm ?? throw new InvalidOperationException("the farm is not open");
    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.OpenAsync(await store.CreateAsync(Stop));

    public async ValueTask DisposeAsync()
    {
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
        }

        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
