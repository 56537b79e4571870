using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Testing.Cards;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Slots;

/// <summary>A worker with a card, as far as a driver's library built here can make one; the renderer is a script.</summary>
public sealed class CardSlotTests
{
    private const long GiB = 1L << 30;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly FakeCard Card = new("GPU-1", "NVIDIA_Test", 24 * GiB, 1 * GiB);

    [Fact]
    public async Task Run_MemoryNotGivenBack_QuarantinesTheSlotUntilItIs()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);
        farm.Driver.Show(Card with { UsedBytes = 9 * GiB });
        farm.LetGo();
        await farm.Worker.Desk.CompletedAsync(first);

        var closed = await RegisteredAsync(farm, slot => slot.Quarantine is not null);
        Assert.Contains("8.0 GiB of the card's memory did not come back", closed.Quarantine, StringComparison.Ordinal);
        Assert.Contains(
            "renderfarm_slot_quarantined{card=\"NVIDIA_Test\",slot=\"gpu0\",worker=\"worker-under-test\"} 1",
            Unscoped(await farm.Worker.MetricsAsync()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"renderfarm_memory_unreclaimed_bytes{{card=\"NVIDIA_Test\",slot=\"gpu0\",worker=\"worker-under-test\"}} {8 * GiB}",
            Unscoped(await farm.Worker.MetricsAsync()),
            StringComparison.Ordinal
        );
        Assert.Contains("did not come back", await farm.Worker.GetAsync("/health"), StringComparison.Ordinal);

        farm.Driver.Show(Card);
        await RegisteredAsync(farm, slot => slot.Quarantine is null);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
    }

    [Fact]
    public async Task Start_CardThatCannotWorkBesideOneThatCan_KeepsItFromJobsAndSaysWhy()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        farm.Driver.Show(Card with { Uuid = "GPU-0", Name = "Tesla_T4", ComputeCapability = new(7, 5) }, Card);
        var job = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();

        await farm.Worker.Desk.CompletedAsync(job);

        var slots = farm.Worker.Desk.Registrations.First().Slots;
        Assert.Contains("compute capability 7.5", slots[0].Quarantine, StringComparison.Ordinal);
        Assert.Null(slots[1].Quarantine);
        Assert.Equal(new Version(8, 9), slots[1].ComputeCapability);
    }

    [Fact]
    public async Task Run_MemoryTakenByAnotherProgram_QuarantinesNothing()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);
        farm.Driver.Show(
            Card with
            {
                UsedBytes = 9 * GiB,
                Processes = new Dictionary<int, long?> { [Environment.ProcessId] = 8 * GiB },
            }
        );
        farm.LetGo();

        await farm.Worker.Desk.CompletedAsync(first);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        Assert.All(farm.Worker.Desk.Registrations, registration => Assert.Null(registration.Slots[0].Quarantine));
    }

    [Fact]
    public async Task Run_CardFullOfAnotherProgram_WaitsAndThenSaysWhoHoldsIt()
    {
        var full = Card with
        {
            UsedBytes = 24 * GiB - (100 << 20),
            Processes = new Dictionary<int, long?> { [Environment.ProcessId] = 23 * GiB },
            Utilization = 97,
        };
        await using var farm = await CardWorker.WithAsync(full, StubRenderer.Good);
        var job = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();

        var failure = await farm.Worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.PlanDoesNotFit, failure.Reason);
        Assert.Contains($"(process {Environment.ProcessId}) 23.0 GiB; 97 % busy", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CardFullForAMoment_WaitsUntilTheMemoryIsFree()
    {
        await using var farm = await CardWorker.WithAsync(Card with { UsedBytes = 24 * GiB - (100 << 20) }, StubRenderer.Good);
        farm.Worker.Set("Worker:CardPatienceSeconds", "600");
        var job = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Worker.Desk.Renewals.Count >= 2),
            Soon,
            "the lease to be held while waiting",
            TestContext.Current.CancellationToken
        );

        farm.Driver.Show(Card);

        await farm.Worker.Desk.CompletedAsync(job);
        Assert.Contains(farm.Worker.Desk.Renewals, renewal => renewal.Request.Plan is { Device: "cuda" });
    }

    [Fact]
    public async Task Run_PlansOfThisKindMeasuredLarger_PlansWithWhatWasMeasured()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.Worker.Desk.CompletedAsync(first);
        var before = farm.PlanOf(first);

        var second = farm.Worker.Desk.Queue(
            WorkerUnderTest.Spec,
            0,
            new KindCorrection("fp32 resident text-cpu", new(2, 2, 9)),
            new KindCorrection(before.Kind, new(1.3, 1.5, 4))
        );
        await farm.Worker.Desk.CompletedAsync(second);
        var after = farm.PlanOf(second);

        Assert.Equal(before.PredictedPeakBytes, before.UncorrectedPeakBytes);
        Assert.Equal(before.Kind, after.Kind);
        Assert.InRange(after.PredictedPeakBytes / (double)before.PredictedPeakBytes, 1.299, 1.301);
        Assert.InRange(after.UncorrectedPeakBytes!.Value - before.UncorrectedPeakBytes!.Value, -1, 1);
    }

    [Fact]
    public async Task Lease_DriverLosesTheCard_ClosesTheSlotWithTheDriversWords()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        farm.Worker.Set("Worker:LeaseWaitSeconds", "0");
        await farm.Worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!farm.Worker.Desk.Requests.IsEmpty),
            Soon,
            "a first request",
            TestContext.Current.CancellationToken
        );

        farm.Driver.LoseCards();

        var closed = await RegisteredAsync(farm, slot => slot.Quarantine is not null);
        Assert.Contains("GPU is lost", closed.Quarantine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CardFailsUnderTheJob_EndsItAtOnceAndClosesTheSlotUntilResumed()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);

        // The job would go on for ever: it is the card's end that ends it
        farm.Driver.Report(0, 48);
        var failure = await farm.Worker.Desk.FailedAsync(first);
        Assert.Equal(FailureReason.GpuLost, failure.Reason);
        Assert.Contains("Xid 48", failure.Message, StringComparison.Ordinal);
        Assert.Contains("nvidia-smi --gpu-reset", failure.Message, StringComparison.Ordinal);
        var closed = await RegisteredAsync(farm, slot => slot.Quarantine is not null);
        Assert.Equal(failure.Message, closed.Quarantine);
        Assert.NotNull(closed.QuarantinedAt);

        farm.LetGo();
        farm.Worker.Desk.Orders.Add(new SlotOrder("gpu0", Resume: true));
        await RegisteredAsync(farm, slot => slot.Quarantine is null);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
    }

    /// <summary>That the program starts again makes no card sound; only somebody who has seen to it does.</summary>
    [Fact]
    public async Task Start_AfterACardFailed_KeepsItsSlotClosedUntilResumed()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        await farm.Worker.StartAsync();
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        farm.Driver.Report(0, 48);
        var failed = await RegisteredAsync(farm, slot => slot.Quarantine is not null);
        await farm.Worker.StopAsync();
        farm.Worker.Desk.Registrations.Clear();

        await farm.Worker.StartAsync();

        var known = await RegisteredAsync(farm, _ => !farm.Worker.Desk.Registrations.IsEmpty);
        Assert.Equal((failed.Quarantine, failed.QuarantinedAt), (known.Quarantine, known.QuarantinedAt));
        var job = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        farm.Worker.Desk.Orders.Add(new SlotOrder("gpu0", Resume: true));
        await farm.Worker.Desk.CompletedAsync(job);
        await farm.Worker.StopAsync();
        farm.Worker.Desk.Orders.Clear();
        farm.Worker.Desk.Registrations.Clear();

        await farm.Worker.StartAsync();
        Assert.Null((await RegisteredAsync(farm, _ => !farm.Worker.Desk.Registrations.IsEmpty)).Quarantine);
    }

    [Fact]
    public async Task Run_ErrorThatTheJobOutlives_LetsItFinishAndClosesTheSlotThen()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);

        farm.Driver.Report(0, 63);
        await Eventually.TrueAsync(
            async () => (await farm.Worker.GetAsync("/health")).Contains("Xid 63", StringComparison.Ordinal),
            Soon,
            "the error to be heard",
            TestContext.Current.CancellationToken
        );
        farm.LetGo();

        await farm.Worker.Desk.CompletedAsync(first);
        Assert.Contains("Xid 63", (await RegisteredAsync(farm, slot => slot.Quarantine is not null)).Quarantine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ErrorOfAProgram_ClosesNothing()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);

        farm.Driver.Report(0, 31);
        farm.LetGo();

        await farm.Worker.Desk.CompletedAsync(first);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        Assert.All(farm.Worker.Desk.Registrations, registration => Assert.Null(registration.Slots[0].Quarantine));
    }

    [Fact]
    public async Task Lease_PreparedWeightsHere_SaysWhichModelsTheHostHolds()
    {
        await using var farm = await CardWorker.WithAsync(
            Card,
            """
            cache=$(field weight_cache); mkdir -p "$cache"; : > "$cache/key.blocks"; : > "$cache/key.blocks.complete"
            """
                + "\n"
                + StubRenderer.Good
        );
        var job = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();

        await farm.Worker.Desk.CompletedAsync(job);

        var folder = Path.Combine(farm.Worker.Settings["Worker:WeightCacheDirectory"]!, "tiny");
        Assert.True(File.Exists(Path.Combine(folder, "key" + WeightCacheFiles.Blocks)));
        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Worker.Desk.Requests.Last().CachedModels is ["tiny"]),
            Soon,
            "a request that names the model",
            TestContext.Current.CancellationToken
        );
        Assert.Empty(farm.Worker.Desk.Requests.First().CachedModels);
    }

    [Fact]
    public async Task Run_LargeCard_NextRendererGetsReadyForTheLastModelByDefault()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        farm.Worker.Set("Worker:Standby", null);
        await farm.Worker.StartAsync();
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        await LoadedAsync(farm, 1);

        var ahead = Assert.Single(StubRenderer.Ahead(farm.Worker.Folder));
        Assert.Equal(("tiny", "", "", ""), (ahead.Shape.Id, ahead.JobId, ahead.Spec.Prompt, ahead.FramePipe));
        Assert.Equal("cuda", ahead.Plan.Device);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));

        await StartedAsync(farm, ("cold", 1), ("standby", 1));
    }

    [Fact]
    public async Task Run_JobComesWhileTheStandbyGetsReady_IsRenderedByItAtOnce()
    {
        await using var farm = await CardWorker.WithAsync(Card, StubRenderer.Good);
        farm.Worker.Set("Worker:Standby", "true");
        StubRenderer.LoadForever(farm.Worker.Folder);
        await farm.Worker.StartAsync();
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        await Eventually.TrueAsync(
            () => Task.FromResult(StubRenderer.Ahead(farm.Worker.Folder).Count == 1),
            Soon,
            "a renderer that gets ready",
            TestContext.Current.CancellationToken
        );

        var second = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.Desk.CompletedAsync(second);

        Assert.Equal("cuda", farm.PlanOf(second).Device);
        await StartedAsync(farm, ("cold", 2), ("standby", 0));
    }

    [Fact]
    public async Task Run_MemoryTakenByAnotherProgram_StandbyDoesNotGetReady()
    {
        await using var farm = await CardWorker.WithAsync(Card, Held);
        farm.Worker.Set("Worker:Standby", "true");
        farm.Worker.Set("Worker:LeaseWaitSeconds", "0");
        var first = farm.Worker.Desk.Queue(WorkerUnderTest.Spec);
        await farm.Worker.StartAsync();
        await farm.AtWorkAsync(first);
        farm.Driver.Show(
            Card with
            {
                UsedBytes = 24 * GiB - (100 << 20),
                Processes = new Dictionary<int, long?> { [Environment.ProcessId] = 23 * GiB },
            }
        );
        farm.LetGo();
        await farm.Worker.Desk.CompletedAsync(first);
        var asked = farm.Worker.Desk.Requests.Count;
        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Worker.Desk.Requests.Count >= asked + 2),
            Soon,
            "rounds of the slot without a job",
            TestContext.Current.CancellationToken
        );
        Assert.Empty(StubRenderer.Ahead(farm.Worker.Folder));

        farm.Driver.Show(Card);
        await LoadedAsync(farm, 1);
    }

    /// <summary>How many first steps after such a start were measured; the exporter answers with what is some moments old.</summary>
    private static Task StartedAsync(CardWorker farm, params IReadOnlyList<(string Start, int Count)> wanted) =>
        Eventually.ValueAsync(
            () => farm.Worker.MetricsAsync(),
            metrics =>
                wanted.All(one =>
                    one.Count == 0
                        ? !Unscoped(metrics).Contains(Counted(one.Start), StringComparison.Ordinal)
                        : Unscoped(metrics).Contains($"{Counted(one.Start)} {one.Count}", StringComparison.Ordinal)
                ),
            Soon,
            "the starts to be counted",
            TestContext.Current.CancellationToken
        );

    private static string Counted(string start) =>
        $"renderfarm_first_step_duration_seconds_count{{model=\"tiny\",start=\"{start}\",worker=\"worker-under-test\"}}";

    private static Task LoadedAsync(CardWorker farm, int loaded) =>
        Eventually.TrueAsync(
            async () =>
                Unscoped(await farm.Worker.MetricsAsync())
                    .Contains(
                        $"renderfarm_standby_loaded{{card=\"NVIDIA_Test\",slot=\"gpu0\",worker=\"worker-under-test\"}} {loaded}",
                        StringComparison.Ordinal
                    ),
            Soon,
            "the standby to be ready",
            TestContext.Current.CancellationToken
        );

    /// <summary>At work until the test lets go.</summary>
    private static string Held =>
        "while [ ! -e \"${0%/*}/go\" ]; do say '{\"type\":\"alive\",\"stage\":\"denoising\"}'; sleep 0.05; done\n" + StubRenderer.Good;

    /// <summary>Metrics without the labels that the exporter adds.</summary>
    private static string Unscoped(string metrics) =>
        metrics.Replace("otel_scope_name=\"RenderFarm.Worker\",", "", StringComparison.Ordinal);

    private static async Task<SlotDescription> RegisteredAsync(CardWorker farm, Func<SlotDescription, bool> wanted)
    {
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    wanted(
                        farm.Worker.Desk.Registrations.LastOrDefault()?.Slots[0]
                            ?? new SlotDescription
                            {
                                Id = "",
                                Kind = SlotKind.Cpu,
                                Card = "",
                                TotalBytes = 0,
                            }
                    )
                ),
            Soon,
            "the worker to register the slot's new state",
            TestContext.Current.CancellationToken
        );
        return farm.Worker.Desk.Registrations.Last().Slots[0];
    }

    private sealed class CardWorker : IAsyncDisposable
    {
        public required FakeDriver Driver { get; init; }
        public required WorkerUnderTest Worker { get; init; }

        public static async Task<CardWorker> WithAsync(FakeCard card, string renderer)
        {
            var driver = await FakeDriver.WithAsync(card);
            var worker = await WorkerUnderTest.CreateAsync(renderer);
            worker.Set("Worker:Slots", "auto");
            worker.Set("Worker:NvmlPath", driver.Path);
            worker.Set("Worker:CardPatienceSeconds", "0.5");
            return new CardWorker { Driver = driver, Worker = worker };
        }

        public Task AtWorkAsync(LeaseGrant job) =>
            Eventually.TrueAsync(
                () => Task.FromResult(Worker.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == RenderStage.Denoising)),
                Soon,
                "the job to be at work",
                TestContext.Current.CancellationToken
            );

        public RenderPlan PlanOf(LeaseGrant job) =>
            Worker.Desk.Renewals.Single(renewal => renewal.Job == job.JobId && renewal.Request.Plan is not null).Request.Plan!;

        public void LetGo() => File.WriteAllText(Path.Combine(Worker.Folder, "go"), "");

        public async ValueTask DisposeAsync()
        {
            LetGo();
            await Worker.DisposeAsync();
            Driver.Dispose();
        }
    }
}
