using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;
using RenderFarm.Testing.Cards;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Calibration;

/// <summary>What a worker knows of its devices from the first minute on, and how it measures without anybody waiting for it.</summary>
public sealed class SlotCalibrationTests
{
    private const long GiB = 1L << 30;
    private const string Driver = "580.65.06";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly FakeCard Card = new("GPU-1", "NVIDIA H100 80GB HBM3", 80 * GiB, 1 * GiB);
    private static readonly DeviceProbe Sound = StubRenderer.Sound(Card.Name, Driver);

    private static readonly CardCalibration Rates = new()
    {
        Key = Sound.Subject.Key,
        Bf16Flops = 700e12,
        Fp8Flops = 1300e12,
        AttentionFlops = 500e12,
        EightBitAttentionFlops = 800e12,
    };

    [Fact]
    public async Task Start_CardNeverMeasured_PlansWithFp8AtOnceAndMeasuresItself()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        await farm.Worker.StartAsync();
        var first = await farm.RegisteredAsync(_ => true);
        Assert.Equal(RatesOrigin.Estimated, first.Rates);
        Assert.NotNull(first.Calibration?.Fp8Flops);
        Assert.NotNull(first.Calibration.EightBitAttentionFlops);

        StubRenderer.Rates(farm.Worker.Folder, Rates);

        var measured = await farm.RegisteredAsync(slot => slot.Rates == RatesOrigin.Measured);
        Assert.Equal(Rates, measured.Calibration);
        Assert.Single(StubRenderer.Measurements(farm.Worker.Folder));
    }

    [Fact]
    public async Task Start_EightBitsWrongOnTheCard_PlansUseNoneOfThem()
    {
        await using var farm = await CalibratingWorker.WithAsync(
            Card,
            Sound with { Fp8Fault = "row-wise products are off by 3.0e-1", EightBitAttentionFault = "off its definition by 1.0e+0" }
        );
        StubRenderer.Rates(farm.Worker.Folder, Rates);
        await farm.Worker.StartAsync();

        Assert.Null((await farm.RegisteredAsync(_ => true)).Calibration!.Fp8Flops);
        var measured = (await farm.RegisteredAsync(slot => slot.Rates == RatesOrigin.Measured)).Calibration!;
        Assert.Equal(Rates.Bf16Flops, measured.Bf16Flops);
        Assert.Null(measured.Fp8Flops);
        Assert.Null(measured.EightBitAttentionFlops);
    }

    [Fact]
    public async Task Measuring_JobComes_GivesWayAtOnceAndGoesOnAfterIt()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        await farm.Worker.StartAsync();
        await farm.MeasuringAsync(times: 1);

        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));

        await farm.MeasuringAsync(times: 2);
        var first = StubRenderer.Measurements(farm.Worker.Folder)[0];
        Assert.False(Directory.Exists($"/proc/{first}") && !IsZombie(first), "the first measurement has ended");
        StubRenderer.Rates(farm.Worker.Folder, Rates);
        await farm.RegisteredAsync(slot => slot.Rates == RatesOrigin.Measured);
    }

    /// <summary>What a measurement holds is free to the next job, which ends it.</summary>
    [Fact]
    public async Task Measuring_HoldsMemoryOfTheCard_TheFarmIsToldOfWhatAJobWouldFind()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        farm.Worker.Set("Worker:LeaseWaitSeconds", "0");
        await farm.Worker.StartAsync();
        await farm.MeasuringAsync(times: 1);
        farm.Driver.Show(Card with { UsedBytes = 60 * GiB });
        var asked = farm.Worker.Desk.Requests.Count;

        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Worker.Desk.Requests.Count > asked + 1),
            Soon,
            "requests for work",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(79 * GiB, farm.Worker.Desk.Requests.Last().FreeBytes);
        farm.Driver.Show(Card);
    }

    [Fact]
    public async Task Start_MeasuredBefore_TakesTheRatesAndMeasuresNothing()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        farm.Keep(Sound.Subject);
        await farm.Worker.StartAsync();

        Assert.Equal(RatesOrigin.Measured, (await farm.RegisteredAsync(_ => true)).Rates);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        Assert.Empty(StubRenderer.Measurements(farm.Worker.Folder));
    }

    [Fact]
    public async Task Start_MeasuredWithAnotherDriver_KeepsTheRatesUntilTheSlotWasIdle()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        farm.Keep(Sound.Subject with { Driver = "570.1" });
        farm.Worker.Set("Worker:CalibrationIdleSeconds", "3");
        await farm.Worker.StartAsync();

        Assert.Equal(RatesOrigin.Measured, (await farm.RegisteredAsync(_ => true)).Rates);
        Assert.Empty(StubRenderer.Measurements(farm.Worker.Folder));
        await farm.MeasuringAsync(times: 1);
        StubRenderer.Rates(farm.Worker.Folder, Rates with { Bf16Flops = 999e12 });
        await farm.RegisteredAsync(slot => slot.Calibration?.Bf16Flops == 999e12);
    }

    [Theory]
    [InlineData("GPU-2", "stub")]
    [InlineData("GPU-1", "another libtorch")]
    public async Task Start_AnotherCardOrLibTorchMeasured_SaysNothingOfThisOne(string uuid, string libTorch)
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        farm.Keep(Sound.Subject with { Uuid = uuid, LibTorch = libTorch });
        await farm.Worker.StartAsync();

        Assert.Equal(RatesOrigin.Estimated, (await farm.RegisteredAsync(_ => true)).Rates);
        await farm.MeasuringAsync(times: 1);
    }

    [Fact]
    public async Task Start_CardAtWorkForOthers_WaitsWithMeasuring()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card with { Utilization = 95 }, Sound);
        await farm.Worker.StartAsync();

        await farm.RegisteredAsync(_ => true);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
        Assert.Empty(StubRenderer.Measurements(farm.Worker.Folder));
    }

    [Fact]
    public async Task Start_LibTorchWithoutCuda_TakesNoJobsAndSaysWhy()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound with { Fault = "libtorch 2.10.0+cpu sees no card" });
        // Where libraries for cards were found, what the renderer itself says counts
        farm.Worker.Set("Torch:LibraryPath", FakePyTorch.Make(Path.Combine(farm.Worker.Folder, "torch"), "2.10.0"));
        await farm.Worker.StartAsync();

        var slot = await farm.RegisteredAsync(_ => true);

        Assert.Equal("libtorch 2.10.0+cpu sees no card", slot.Quarantine);
        Assert.Empty(farm.Worker.Desk.Requests);
    }

    [Fact]
    public async Task Start_RendererDoesNotAnswer_WorksWithoutEightBits()
    {
        await using var farm = await CalibratingWorker.WithAsync(Card, Sound);
        File.WriteAllText(Path.Combine(farm.Worker.Folder, "probe.json"), "Segmentation fault");
        await farm.Worker.StartAsync();

        Assert.Null((await farm.RegisteredAsync(_ => true)).Calibration);
        await farm.Worker.Desk.CompletedAsync(farm.Worker.Desk.Queue(WorkerUnderTest.Spec));
    }

    /// <summary>A processor's plans choose nothing by its rates: they can wait for an idle minute.</summary>
    [Fact]
    public async Task Start_Processor_IsMeasuredWhenItWasIdle()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:Calibrate", "true");
        worker.Set("Worker:CalibrationIdleSeconds", "0");
        var rates = new CardCalibration { Key = "stub", Fp32Flops = 1e11 };
        StubRenderer.Rates(worker.Folder, rates);
        await worker.StartAsync();

        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Registrations.LastOrDefault()?.Slots[0].Calibration == rates),
            Soon,
            "the processor's rates to be registered",
            TestContext.Current.CancellationToken
        );
    }

    private static bool IsZombie(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true; // Gone between the two looks
        }
    }

    private sealed class CalibratingWorker : IAsyncDisposable
    {
        public required FakeDriver Driver { get; init; }
        public required WorkerUnderTest Worker { get; init; }

        public static async Task<CalibratingWorker> WithAsync(FakeCard card, DeviceProbe probe)
        {
            var driver = await FakeDriver.WithAsync(card);
            var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
            StubRenderer.Answer(worker.Folder, probe);
            worker.Set("Worker:Slots", "auto");
            worker.Set("Worker:NvmlPath", driver.Path);
            worker.Set("Worker:CardPatienceSeconds", "0.5");
            worker.Set("Worker:Calibrate", "true");
            worker.Set("Worker:CalibrationIdleSeconds", "3600");
            return new CalibratingWorker { Driver = driver, Worker = worker };
        }

        /// <summary>As an earlier worker has left it.</summary>
        public void Keep(CalibrationSubject subject) =>
            CalibrationFiles.Write(
                Worker.Settings["Worker:CalibrationDirectory"]!,
                new CalibrationRecord { Subject = subject, Rates = Rates with { Key = subject.Key } }
            );

        public async Task<SlotDescription> RegisteredAsync(Func<SlotDescription, bool> wanted)
        {
            SlotDescription? found = null;
            await Eventually.TrueAsync(
                () =>
                    Task.FromResult(
                        (found = Worker.Desk.Registrations.LastOrDefault()?.Slots[0]) is not null && wanted(found)
                    ),
                Soon,
                "the worker to register the slot so",
                TestContext.Current.CancellationToken
            );
            return found!;
        }

        public Task MeasuringAsync(int times) =>
            Eventually.TrueAsync(
                () => Task.FromResult(StubRenderer.Measurements(Worker.Folder).Count == times),
                Soon,
                $"measurement {times} to be under way",
                TestContext.Current.CancellationToken
            );

        public async ValueTask DisposeAsync()
        {
            await Worker.DisposeAsync();
            Driver.Dispose();
        }
    }
}
