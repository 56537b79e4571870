using RenderFarm.Contracts.Units;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Cards;

/// <summary>A card that somebody asks about, which isn't there: idle, and by its sheet.</summary>
public static class AskedCard
{
    /// <param name="card">Its name; empty for one of a size only.</param>
    /// <param name="gibibytes">Null: the memory on its sheet.</param>
    /// <param name="hostGibibytes">Host memory for prepared weights; null is not checked.</param>
    /// <returns>Null where only the sheet could have told its memory and there is none.</returns>
    public static SlotState? Find(string card, double? gibibytes, double? hostGibibytes)
    {
        ArgumentNullException.ThrowIfNull(card);
        var sheet = CardSheets.Find(card);
        return (gibibytes ?? sheet?.Gibibytes) is not { } memory
            ? null
            : SlotState.Gpu(memory, card, card.Length == 0 ? null : KnownCards.Estimate(card, sheet?.Capability)) with
            {
                HostBytes = hostGibibytes is { } host ? Gibibytes.ToBytes(host) : null,
            };
    }

    /// <summary>The same card where the start's check found its fp8 products wrong; null when it has none.</summary>
    public static SlotState? WithoutFp8(SlotState slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        return slot.Calibration is { Fp8Flops: not null } rates ? slot with { Calibration = rates with { Fp8Flops = null } } : null;
    }
}
