using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using RenderFarm.Nvml;
using RenderFarm.Planning;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Slots;

/// <summary>A card before a renderer started: what was free, and what everybody else held.</summary>
internal sealed record CardBefore(long FreeBytes, IReadOnlyDictionary<int, long> Held);

/// <summary>
/// Sees to it that a job gives back what it took of a card. Memory that has gone and that no other program has taken
/// quarantines the slot, until it is back: the next job's plan would count on it.
/// </summary>
internal sealed class CardGuard(IOptions<WorkerOptions> options, CardErrorRecord errors, TimeProvider time, ILogger<CardGuard> log)
{
    /// <summary>Drivers keep a little of their own, and not always the same.</summary>
    private const long ToleranceBytes = 256L << 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<string, (CardBefore Before, int Renderer)> _quarantined = new(StringComparer.Ordinal);

    /// <summary>What the last job of a quarantined card has not given back; 0 where nothing is missing.</summary>
    public long UnreclaimedBytes(Slot slot)
    {
        try
        {
            return slot.Card is { } card && _quarantined.TryGetValue(slot.Id, out var entry)
                ? Math.Max(0, MissingBytes(card, entry.Before, entry.Renderer))
                : 0;
        }
        catch (NvmlException)
        {
            return 0; // The slot's next look closes it, with the driver's words
        }
    }

    /// <summary>Before a renderer is started; null on a CPU, or when the driver doesn't answer.</summary>
    public static CardBefore? Look(Slot slot)
    {
        if (slot.Card is not { } card)
        {
            return null;
        }

        try
        {
            return new CardBefore(
                card.Memory.FreeBytes,
                card.Processes.ToDictionary(process => process.Id, process => process.UsedBytes ?? 0)
            );
        }
        catch (NvmlException)
        {
            return null; // The slot's next look closes it
        }
    }

    /// <summary>After the renderer has ended: waits for what it took, or quarantines the slot.</summary>
    public async Task CheckAsync(Slot slot, CardBefore? before, int renderer)
    {
        if (slot.Card is not { } card || before is null)
        {
            return;
        }

        var started = time.GetTimestamp();
        try
        {
            while (MissingBytes(card, before, renderer) > ToleranceBytes)
            {
                if (time.GetElapsedTime(started).TotalSeconds > options.Value.CardPatienceSeconds)
                {
                    _quarantined[slot.Id] = (before, renderer);
                    slot.CardFault = Reason(card, before, renderer);
                    log.Quarantined(slot.Id, slot.CardFault);
                    return;
                }

                await Task.Delay(LookEvery, time);
            }
        }
        catch (NvmlException)
        {
            // The slot's next look closes it, with the driver's words
        }
    }

    /// <summary>Somebody has seen to the slot: what is missing now is taken as it is.</summary>
    public void Resume(Slot slot)
    {
        _quarantined.TryRemove(slot.Id, out _);
        slot.Resume();
        if (slot.CardUuid is { } card)
        {
            errors.Forget(card);
        }

        log.Resumed(slot.Id);
    }

    /// <summary>Looks again at a quarantined slot, and at whether the driver still answers for its card.</summary>
    /// <returns>Null when it may take jobs; else why not.</returns>
    public string? WhyClosed(Slot slot)
    {
        if (slot.Card is not { } card)
        {
            return null;
        }

        try
        {
            if (!_quarantined.TryGetValue(slot.Id, out var entry))
            {
                _ = card.Memory;
                slot.CardFault = null;
            }
            else if (MissingBytes(card, entry.Before, entry.Renderer) <= ToleranceBytes)
            {
                _quarantined.TryRemove(slot.Id, out _);
                slot.CardFault = null;
                log.QuarantineOver(slot.Id);
            }
            else
            {
                slot.CardFault = Reason(card, entry.Before, entry.Renderer);
            }
        }
        catch (NvmlException fault)
        {
            slot.CardFault =
                $"the driver does not answer for {slot.Description.Card}: {fault.Message}. Look at nvidia-smi and the kernel's log; the "
                + "host may need a restart";
        }

        return slot.CardFault;
    }

    /// <summary>What is gone since then and was not taken by other processes, as far as the driver tells them apart.</summary>
    private static long MissingBytes(SlotCard card, CardBefore before, int renderer)
    {
        var gone = before.FreeBytes - card.Memory.FreeBytes;
        var others = card
            .Processes.Where(process => process.Id != renderer)
            .Sum(process => Math.Max(0, (process.UsedBytes ?? 0) - before.Held.GetValueOrDefault(process.Id)));
        return gone - others;
    }

    private static string Reason(SlotCard card, CardBefore before, int renderer) =>
        $"{Names.Gib(MissingBytes(card, before, renderer))} of the card's memory did not come back after its last job; on it now: "
        + $"{card.InUse()}. End what holds it, or restart the host";
}
