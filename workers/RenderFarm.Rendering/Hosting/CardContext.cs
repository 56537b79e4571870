using RenderFarm.Cuda.Memory;
using RenderFarm.Nvml;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Rendering.Hosting;

/// <summary>
/// What this process takes of the card, by the driver's list of processes. In a container the driver may list others' numbers for
/// processes: this one is believed to be on the list only if its number came onto it when the context was made.
/// </summary>
public sealed class CardContext : IDisposable
{
    private readonly NvmlLibrary? _driver;
    private readonly Card? _card;
    private readonly bool _listedBefore;
    private readonly long _usedBefore;

    private CardContext(NvmlLibrary? driver)
    {
        _driver = driver;
        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        _card = driver?.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver?.Cards[0];
        _listedBefore = Listed() is not null;
        _usedBefore = TakenSince();
    }

    /// <summary>Call before libtorch is loaded.</summary>
    /// <param name="library">The driver's, where the loader doesn't find it by its name.</param>
    public static CardContext Watch(string library = NvmlLibrary.DefaultPath) => new(NvmlLibrary.TryOpen(out _, library));

    /// <summary>As the driver has it; empty where it can't be asked.</summary>
    public string CardName => _card?.Name ?? "";

    /// <summary>What this process holds of the card now; null where the driver can't tell.</summary>
    public long? OwnBytes => _listedBefore ? null : Listed()?.UsedBytes;

    /// <summary>Call when the context is there. Looks at the card as long as this lives.</summary>
    public IMemoryGauge Gauge() =>
        DeviceAllocator.IsPool
            ? new DeviceMemoryGauge(MemoryPool.OfDevice(), () => OwnBytes)
            : new NativeAllocatorGauge(() => OwnBytes ?? TakenSince());

    public void Dispose() => _driver?.Dispose();

    /// <summary>What everybody has taken of the card since this looked first, where the driver can't tell processes apart.</summary>
    private long TakenSince()
    {
        try
        {
            return _card is null ? 0 : Math.Max(0, _driver!.MemoryOf(_card).UsedBytes - _usedBefore);
        }
        catch (NvmlException)
        {
            return 0; // A driver that can't be asked can't tell
        }
    }

    private CardProcess? Listed()
    {
        try
        {
            return _card is null ? null : _driver!.ProcessesOn(_card).FirstOrDefault(process => process.Id == Environment.ProcessId);
        }
        catch (NvmlException)
        {
            return null; // A driver that can't be asked can't tell
        }
    }
}
