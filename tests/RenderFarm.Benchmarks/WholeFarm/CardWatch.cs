using RenderFarm.Nvml;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>Memory of this host's cards, of all processes together; without a card there is nothing to wait for.</summary>
internal sealed class CardWatch : IDisposable
{
    /// <summary>Drivers keep a little of their own, and not always the same.</summary>
    public const long ToleranceBytes = 64L << 20;

    private readonly NvmlLibrary? _driver;

    private CardWatch(NvmlLibrary? driver) => _driver = driver;

    public string? Cards => _driver is null ? null : string.Join(", ", _driver.Cards.Select(card => card.Name));

    public string? Driver => _driver?.DriverVersion;

    public long FreeBytes => _driver?.Cards.Sum(card => _driver.MemoryOf(card).FreeBytes) ?? 0;

    /// <exception cref="InvalidOperationException">There is no card.</exception>
    public static CardWatch Open(bool onCard)
    {
        if (!onCard)
        {
            return new CardWatch(null);
        }

        return NvmlLibrary.TryOpen(out var reason) is { Cards.Count: > 0 } driver
            ? new CardWatch(driver)
            : throw new InvalidOperationException($"no card to run on ({reason}); --slots cpu runs on the processor");
    }

    /// <summary>Waits until as much is free again.</summary>
    /// <returns>What is free then, or after the time has passed.</returns>
    public async Task<long> FreeAgainAsync(long wanted, TimeSpan within)
    {
        var lowest = wanted - ToleranceBytes;
        try
        {
            return await Eventually.ValueAsync(() => Task.FromResult(FreeBytes), free => free >= lowest, within, "free memory");
        }
        catch (TimeoutException)
        {
            return FreeBytes;
        }
    }

    public void Dispose() => _driver?.Dispose();
}
