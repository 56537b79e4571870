using RenderFarm.Testing;
using RenderFarm.Testing.Cards;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Renderers;

/// <summary>A host with a card, and a renderer that was built for the CPU.</summary>
public sealed class RendererTorchTests
{
    private const long GiB = 1L << 30;
    private const string TellTorch = """printf '%s' "$TORCH_LIB" > "$here/torch";""";
    private static readonly FakeCard Card = new("GPU-1", "NVIDIA_Test", 24 * GiB, 1 * GiB);

    [Fact]
    public async Task Start_PyTorchOnTheHost_RenderersLoadIt()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        await using var worker = await WithCpuBuildAsync(driver);
        var found = FakePyTorch.Make(Path.Combine(worker.Folder, ".venv/lib/python3.12/site-packages/torch"), "2.11.0+cu130");
        var late = Directory.CreateDirectory(Path.Combine(worker.Folder, ".venv/lib/python3.12/site-packages/nvidia/cu13/lib")).FullName;
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.Equal($"{found}:{late}", await ToldAsync(worker));
    }

    [Fact]
    public async Task Start_AnotherIsNamed_RenderersLoadThatOne()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        await using var worker = await WithCpuBuildAsync(driver);
        FakePyTorch.Make(Path.Combine(worker.Folder, ".venv/lib/python3.12/site-packages/torch"), "2.11.0+cu130");
        var named = FakePyTorch.Make(Path.Combine(worker.Folder, "elsewhere"), "2.12.0");
        worker.Set("Torch:LibraryPath", named);
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.Equal(named, await ToldAsync(worker));
    }

    [Fact]
    public async Task Start_NoPyTorchForCards_TheCardTakesNoJobsAndSaysWhatBringsOne()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        await using var worker = await WithCpuBuildAsync(driver);
        var old = FakePyTorch.Make(Path.Combine(worker.Folder, ".venv/lib/python3.12/site-packages/torch"), "2.8.0");
        StubRenderer.Answer(worker.Folder, StubRenderer.Sound() with { Fault = "libtorch 2.10.0 is built for the CPU and sees no card" });
        await worker.StartAsync();

        await Eventually.TrueAsync(
            async () =>
            {
                var health = await worker.GetAsync("/health");
                return health.Contains("this build of the renderer computes on the CPU only", StringComparison.Ordinal)
                    && health.Contains($"the libtorch in {old} is 2.8.0", StringComparison.Ordinal)
                    && health.Contains("RENDERFARM_LIBTORCH=cuda ./farm up", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60),
            "the slot says what is lacking and what to do",
            TestContext.Current.CancellationToken
        );
    }

    /// <summary>What a renderer was given.</summary>
    private static Task<string> ToldAsync(WorkerUnderTest worker) =>
        File.ReadAllTextAsync(Path.Combine(worker.Folder, "torch"), TestContext.Current.CancellationToken);

    private static async Task<WorkerUnderTest> WithCpuBuildAsync(FakeDriver driver)
    {
        var worker = await WorkerUnderTest.CreateAsync(TellTorch + "\n" + StubRenderer.Good);
        worker.Set("Worker:Slots", "auto");
        worker.Set("Worker:NvmlPath", driver.Path);
        var own = Directory.CreateDirectory(Path.Combine(worker.Folder, "libtorch")).FullName;
        await File.WriteAllTextAsync(Path.Combine(own, "libtorch_cpu.so"), "", TestContext.Current.CancellationToken);
        return worker;
    }
}
