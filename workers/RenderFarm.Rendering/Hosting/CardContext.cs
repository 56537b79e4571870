using RenderFarm.Cuda.Memory;
using RenderFarm.Nvml;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Rendering.Hosting;

/// <summary>What this process's context takes of the card: the driver is asked before libtorch starts and after.</summary>
public sealed class CardContext : IDisposable
{
    /// <summary>Of an H100; said where the driver can't be asked.</summary>
    private const long TypicalBytes = 540L << 20;

    private readonly NvmlLibrary? _driver;
    private readonly Card? _card;
    private readonly long _usedBefore;

    private CardContext(NvmlLibrary? driver)
    {
        _driver = driver;
        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        _card = driver?.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver?.Cards[0];
        if (_card is not null)
        {
            _usedBefore = driver!.MemoryOf(_card).UsedBytes;
        }
    }

    /// <summary>Call before libtorch is loaded.</summary>
    public static CardContext Watch() => new(NvmlLibrary.TryOpen(out _));

    /// <summary>As the driver has it; empty where it can't be asked.</summary>
    public string CardName => _card?.Name ?? "";

    /// <summary>Call when the context is there.</summary>
    public DeviceMemoryGauge Gauge() => new(Bytes());

    private long Bytes()
    {
        if (_card is null)
        {
            return TypicalBytes;
        }

        var taken = _driver!.MemoryOf(_card).UsedBytes - _usedBefore - MemoryPool.OfDevice().Reserved;
        return taken > 0 ? taken : TypicalBytes; // Another process went away meanwhile
    }

    public void Dispose() => _driver?.Dispose();
}
