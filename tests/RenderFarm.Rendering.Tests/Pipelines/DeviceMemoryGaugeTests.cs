using RenderFarm.Cuda.Memory;
using RenderFarm.Planning.Cards;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Testing.Cards;

namespace RenderFarm.Rendering.Tests.Pipelines;

/// <summary>What corrects plans is this process's own memory, whatever happens on the card beside it.</summary>
public sealed class DeviceMemoryGaugeTests
{
    private const long GiB = 1L << 30;
    private const long MiB = 1L << 20;
    private const int Neighbour = 1;
    private static readonly FakeCard Card = new("GPU-1", "NVIDIA_Test", 140 * GiB, 0);

    private readonly FakePool _pool = new();

    [Fact]
    public async Task PeakBytes_NeighbourGrowsAndShrinks_IsOfThePoolAndTheContextAlone()
    {
        using var driver = await FakeDriver.WithAsync(Beside(own: null, neighbour: 20 * GiB));
        using var context = CardContext.Watch(driver.Path);
        var gauge = new DeviceMemoryGauge(_pool, () => context.OwnBytes);

        foreach (var neighbour in new[] { 20 * GiB, 131 * GiB, 2 * GiB, 0 })
        {
            _pool.Hold(8 * GiB);
            driver.Show(Beside(8 * GiB + 600 * MiB, neighbour));
            Assert.Equal(8 * GiB + 600 * MiB, gauge.PeakBytes());
        }

        _pool.Hold(1 * GiB);
        driver.Show(Beside(1 * GiB + 600 * MiB, 131 * GiB));
        gauge.RestartPeak();
        Assert.Equal(1 * GiB + 600 * MiB, gauge.PeakBytes());
    }

    [Fact]
    public async Task PeakBytes_KernelsLoadedOnFirstUse_CountFromThenOn()
    {
        using var driver = await FakeDriver.WithAsync(Beside(own: null, neighbour: 0));
        using var context = CardContext.Watch(driver.Path);
        var gauge = new DeviceMemoryGauge(_pool, () => context.OwnBytes);
        driver.Show(Beside(500 * MiB, 0));
        Assert.Equal(500 * MiB, gauge.PeakBytes());

        _pool.Hold(4 * GiB);
        driver.Show(Beside(4 * GiB + 750 * MiB, 0));

        Assert.Equal(4 * GiB + 750 * MiB, gauge.PeakBytes());
    }

    [Fact]
    public async Task PeakBytes_DriverCantTellProcessesApart_CountsTheContextAsPlansDo()
    {
        using var driver = await FakeDriver.WithAsync(Beside(own: null, neighbour: 0));
        using var context = CardContext.Watch(driver.Path);
        var gauge = new DeviceMemoryGauge(_pool, () => context.OwnBytes);
        _pool.Hold(3 * GiB);
        driver.Show(Beside(own: null, neighbour: 100 * GiB));
        Assert.Equal(3 * GiB + ProcessMemory.OnCardBytes, gauge.PeakBytes());

        driver.Show(Card with { UsedBytes = 9 * GiB, Processes = new Dictionary<int, long?> { [Environment.ProcessId] = null } });
        Assert.Equal(3 * GiB + ProcessMemory.OnCardBytes, gauge.PeakBytes());

        driver.LoseCards();
        Assert.Equal(3 * GiB + ProcessMemory.OnCardBytes, gauge.PeakBytes());
    }

    /// <summary>In a container the driver lists the host's numbers, and one of them may happen to be ours.</summary>
    [Fact]
    public async Task OwnBytes_NumberListedBeforeTheContextWasMade_IsSomebodyElses()
    {
        using var driver = await FakeDriver.WithAsync(Beside(own: 50 * GiB, neighbour: 0));
        using var context = CardContext.Watch(driver.Path);

        Assert.Null(context.OwnBytes);
    }

    [Fact]
    public void PeakBytes_PoolMovesWhileTheDriverIsAsked_LeavesThatLookOut()
    {
        var gauge = new DeviceMemoryGauge(
            _pool,
            () =>
            {
                _pool.Hold(_pool.Reserved + 1 * GiB);
                return 9 * GiB;
            }
        );

        Assert.Equal(1 * GiB + ProcessMemory.OnCardBytes, gauge.PeakBytes());
    }

    [Fact]
    public void Watch_NoDriver_CantTell()
    {
        using var context = CardContext.Watch("/nowhere/libnvidia-ml.so.1");

        Assert.Null(context.OwnBytes);
        Assert.Equal("", context.CardName);
    }

    private static FakeCard Beside(long? own, long neighbour)
    {
        var processes = new Dictionary<int, long?> { [Neighbour] = neighbour };
        if (own is not null)
        {
            processes[Environment.ProcessId] = own;
        }

        return Card with
        {
            UsedBytes = (own ?? 0) + neighbour,
            Processes = processes,
        };
    }

    private sealed class FakePool : IPoolFigures
    {
        public long Reserved { get; private set; }

        public long ReservedHighWater { get; private set; }

        public void Hold(long bytes)
        {
            Reserved = bytes;
            ReservedHighWater = Math.Max(ReservedHighWater, bytes);
        }

        public void ResetHighWater() => ReservedHighWater = Reserved;
    }
}
