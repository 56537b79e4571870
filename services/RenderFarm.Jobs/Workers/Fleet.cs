using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>What can be run by anybody who is there now, not draining and not in quarantine.</summary>
public sealed class Fleet
{
    private readonly IReadOnlyList<ServingSlot> _slots;

    public Fleet(IEnumerable<FarmWorker> workers)
    {
        ArgumentNullException.ThrowIfNull(workers);
        _slots =
        [
            .. workers
                .Where(w => w is { IsLive: true, Draining: false })
                .SelectMany(w =>
                    w.Slots.Where(slot => w.QuarantineOf(slot.Id) is null)
                        .Select(slot => new ServingSlot(w.Id, slot.Id, slot.Card, w.Models, Largest(slot)))
                ),
        ];
        Pairs =
        [
            .. _slots
                .SelectMany(slot =>
                    slot.Models.SelectMany(model => VramClasses.UpTo(slot.LargestClass).Select(c => new QueuePair(model, c)))
                )
                .Distinct(),
        ];
    }

    /// <summary>Every queue that some slot serves.</summary>
    internal IReadOnlyList<QueuePair> Pairs { get; }

    /// <summary>The slots that take jobs of this model.</summary>
    internal IEnumerable<ServingSlot> Serving(string model) => _slots.Where(slot => slot.Models.Contains(model));

    /// <summary>How many slots take jobs of this model and class.</summary>
    public int SlotsFor(string model, int vramClass) => _slots.Count(slot => slot.Serves(new QueuePair(model, vramClass)));

    /// <summary>The largest class that a slot serves when nothing else uses its memory.</summary>
    public static int Largest(SlotDescription slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        return VramClasses.Offered(slot.Kind, slot.TotalBytes)[^1];
    }

    /// <summary>False when a smaller slot serves this queue too: a large card leaves such jobs to it while others wait.</summary>
    internal bool Needs(SlotDescription slot, QueuePair queue)
    {
        var largest = Largest(slot);
        return !_slots.Any(other => other.LargestClass < largest && other.Serves(queue));
    }

    /// <summary>Who else than this slot serves the queue.</summary>
    internal Elsewhere ElsewhereThan(string workerId, string slotId, QueuePair queue)
    {
        var others = _slots.Where(other => (other.WorkerId != workerId || other.SlotId != slotId) && other.Serves(queue)).ToList();
        return others.Exists(other => other.WorkerId != workerId) ? Elsewhere.OtherWorker
            : others.Count > 0 ? Elsewhere.OtherSlot
            : Elsewhere.Nowhere;
    }
}

internal sealed record ServingSlot(string WorkerId, string SlotId, string Card, IReadOnlyList<string> Models, int LargestClass)
{
    public bool Serves(QueuePair queue) => LargestClass >= queue.VramClass && Models.Contains(queue.Model);
}

/// <summary>Jobs of one model and class: they wait in one line.</summary>
internal sealed record QueuePair(string Model, int VramClass);
