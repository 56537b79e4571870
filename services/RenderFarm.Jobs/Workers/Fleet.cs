using RenderFarm.Contracts.Leases;

namespace RenderFarm.Jobs.Workers;

/// <summary>What can be run by anybody who is there now and not draining.</summary>
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
                .SelectMany(w => w.Slots.Select(slot => new ServingSlot(w.Id, slot.Id, slot.Card, w.Models, Largest(slot)))),
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
        return !_slots.Any(other =>
            other.LargestClass < largest && other.LargestClass >= queue.VramClass && other.Models.Contains(queue.Model)
        );
    }
}

internal sealed record ServingSlot(string WorkerId, string SlotId, string Card, IReadOnlyList<string> Models, int LargestClass);

/// <summary>Jobs of one model and class: they wait in one line.</summary>
internal sealed record QueuePair(string Model, int VramClass);
