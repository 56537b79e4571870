using System.Runtime.InteropServices;
using RenderFarm.Testing.Cards;

namespace RenderFarm.Nvml.Tests;

public sealed class NvmlLibraryTests
{
    private const long GiB = 1L << 30;
    private static readonly FakeCard Card = new("GPU-1", "NVIDIA_Test", 24 * GiB, 3 * GiB);

    [Fact]
    public void TryOpen_HostWithoutDriver_SaysSoAndHasNoCards()
    {
        var driver = NativeLibrary.TryLoad("libnvidia-ml.so.1", out _);
        Assert.SkipWhen(driver, "this host has a driver");

        Assert.Null(NvmlLibrary.TryOpen(out var reason));
        Assert.Contains("libnvidia-ml.so.1", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void TryOpen_HostWithCards_ListsThemWithTheirMemory()
    {
        using var library = NvmlLibrary.TryOpen(out var reason);
        Assert.SkipWhen(library is null, "no card here: " + reason);

        Assert.NotEmpty(library.DriverVersion);
        Assert.All(
            library.Cards,
            card =>
            {
                Assert.StartsWith("GPU-", card.Uuid, StringComparison.Ordinal);
                Assert.NotEmpty(card.Name);
                var memory = library.MemoryOf(card);
                Assert.Equal(card.TotalBytes, memory.TotalBytes);
                Assert.InRange(memory.FreeBytes, 0, memory.TotalBytes);
            }
        );
    }

    [Fact]
    public async Task MemoryOf_TwoCards_EachAsItIsNow()
    {
        using var driver = await FakeDriver.WithAsync(Card, Card with { Uuid = "GPU-2", TotalBytes = 12 * GiB, UsedBytes = 0 });
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;

        Assert.Equal("580.65.06", library.DriverVersion);
        Assert.Equal([("GPU-1", 24 * GiB), ("GPU-2", 12 * GiB)], library.Cards.Select(card => (card.Uuid, card.TotalBytes)));
        Assert.Equal(new Version(8, 9), library.Cards[0].ComputeCapability);
        Assert.Equal(21 * GiB, library.MemoryOf(library.Cards[0]).FreeBytes);
        driver.Show(Card with { UsedBytes = 20 * GiB }, Card with { Uuid = "GPU-2" });
        Assert.Equal(4 * GiB, library.MemoryOf(library.Cards[0]).FreeBytes);
    }

    [Fact]
    public async Task ProcessesOn_ManyWithOneNobodyCanMeasure_AllOfThemLargestFirst()
    {
        var held = Enumerable.Range(0, 100).ToDictionary(i => 1_000_000 + i, i => (long?)i * 1000);
        held[Environment.ProcessId] = 5 * GiB;
        held[2_000_000] = null;
        using var driver = await FakeDriver.WithAsync(Card with { Processes = held });
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;

        var processes = library.ProcessesOn(library.Cards[0]);

        Assert.Equal(102, processes.Count);
        Assert.Equal((Environment.ProcessId, 5 * GiB), (processes[0].Id, processes[0].UsedBytes));
        Assert.NotEmpty(processes[0].Name);
        Assert.Null(processes.Single(process => process.Id == 2_000_000).UsedBytes);
    }

    [Fact]
    public async Task VitalsOf_FigureThatTheCardLacks_IsNull()
    {
        using var driver = await FakeDriver.WithAsync(
            Card with
            {
                Utilization = 97,
                Temperature = 71,
                PowerWatts = 312.5,
                PowerLimitWatts = null,
            }
        );
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;

        Assert.Equal(new CardVitals(97, 71, 312.5, null), library.VitalsOf(library.Cards[0]));
    }

    [Fact]
    public async Task MemoryOf_CardLost_SaysWhatTheDriverSays()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;
        driver.LoseCards();

        var fault = Assert.Throws<NvmlException>(() => library.MemoryOf(library.Cards[0]));

        Assert.Equal("nvmlDeviceGetMemoryInfo failed with NVML error 15 (GPU is lost)", fault.Message);
        Assert.Null(NvmlLibrary.TryOpen(out var reason, driver.Path));
        Assert.Contains("GPU is lost", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listen_ErrorsOfTwoCards_AreToldOnceEachWithTheirCard()
    {
        using var driver = await FakeDriver.WithAsync(Card, Card with { Uuid = "GPU-2" });
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;
        driver.Report(0, 13); // Nobody listened yet
        using var errors = library.Listen()!;

        Assert.Null(errors.Next(TimeSpan.Zero));
        driver.Report(1, 48);
        driver.Report(0, 79);
        Assert.Equal(new CardError(library.Cards[1], 48), errors.Next(TimeSpan.FromSeconds(30)));
        driver.LoseCards();
        Assert.Equal(new CardError(library.Cards[0], 79), errors.Next(TimeSpan.FromSeconds(30)));
        Assert.Null(errors.Next(TimeSpan.Zero));
    }

    /// <summary>The driver's own library, where there is a card: it takes the registration; a sound one has nothing to tell.</summary>
    [Fact]
    public void Listen_HostWithCards_RegistersThemAndWaits()
    {
        using var library = NvmlLibrary.TryOpen(out var reason);
        Assert.SkipWhen(library is null, "no card here: " + reason);

        using var errors = library.Listen();
        Assert.NotNull(errors);
        Assert.Null(errors.Next(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Listen_EveryCardLost_HearsNothingAndSaysSo()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        using var library = NvmlLibrary.TryOpen(out _, driver.Path)!;
        driver.LoseCards();

        Assert.Null(library.Listen());
    }

    [Fact]
    public async Task Dispose_AfterUse_RefusesFurtherQuestions()
    {
        using var driver = await FakeDriver.WithAsync(Card);
        var library = NvmlLibrary.TryOpen(out _, driver.Path)!;
        library.Dispose();
        library.Dispose();

        Assert.Throws<ObjectDisposedException>(() => library.MemoryOf(library.Cards[0]));
    }
}
