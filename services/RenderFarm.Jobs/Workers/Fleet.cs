using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>What can be run by anybody who is there now, not draining and not in quarantine.</summary>
public sealed class Fleet
{
    private readonly IReadOnlyList<ServingSlot> _slots;
    private readonly Dictionary<string, ModelSlots> _byModel = [];
    private readonly ILookup<string, ServingSlot> _byWorker;

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
        _byWorker = _slots.ToLookup(slot => slot.WorkerId);
        foreach (var slot in _slots)
        {
            foreach (var model in slot.Models.Distinct())
            {
                if (!_byModel.TryGetValue(model, out var slots))
                {
                    _byModel[model] = slots = new ModelSlots();
                }

                slots.Add(slot.LargestClass);
            }
        }

        Pairs = [.. _byModel.SelectMany(model => VramClasses.UpTo(model.Value.Largest).Select(c => new QueuePair(model.Key, c)))];
    }

    /// <summary>Every queue that some slot serves.</summary>
    internal IReadOnlyList<QueuePair> Pairs { get; }

    /// <summary>The slots that take jobs of this model.</summary>
    internal IEnumerable<ServingSlot> Serving(string model) => _slots.Where(slot => slot.Models.Contains(model));

    /// <summary>How many slots take jobs of this model and class.</summary>
    public int SlotsFor(string model, int vramClass) => _byModel.GetValueOrDefault(model)?.Serving(vramClass) ?? 0;

    /// <summary>The largest class that a slot serves when nothing else uses its memory.</summary>
    public static int Largest(SlotDescription slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        return VramClasses.Offered(slot.Kind, slot.TotalBytes)[^1];
    }

    /// <summary>False when a smaller slot serves this queue too: a large card leaves such jobs to it while others wait.</summary>
    internal bool Needs(SlotDescription slot, QueuePair queue)
    {
        return _byModel.GetValueOrDefault(queue.Model)?.LeastServing(queue.VramClass) is not { } least || least >= Largest(slot);
    }

    /// <summary>Who else than this slot serves the queue.</summary>
    internal Elsewhere ElsewhereThan(string workerId, string slotId, QueuePair queue)
    {
        var own = _byWorker[workerId].Where(slot => slot.Serves(queue)).ToList();
        return SlotsFor(queue.Model, queue.VramClass) > own.Count ? Elsewhere.OtherWorker
            : own.Exists(slot => slot.SlotId != slotId) ? Elsewhere.OtherSlot
            : Elsewhere.Nowhere;
    }

    /// <summary>
    /// How many slots take jobs of a model, by their largest class. Every lease asks for each line it is offered, so it must not
    /// take longer the more slots there are.
    /// </summary>
    private sealed class ModelSlots
    {
        private readonly SortedDictionary<int, int> _byLargest = [];

        public int Largest => _byLargest.Keys.Last();

        public void Add(int largestClass) => _byLargest[largestClass] = _byLargest.GetValueOrDefault(largestClass) + 1;

        public int Serving(int vramClass) => _byLargest.Where(slots => slots.Key >= vramClass).Sum(slots => slots.Value);

        public int? LeastServing(int vramClass) =>
            _byLargest.Keys.Where(largest => largest >= vramClass).Select(largest => (int?)largest).FirstOrDefault();
    }
}

internal sealed record ServingSlot(string WorkerId, string SlotId, string Card, IReadOnlyList<string> Models, int LargestClass)
{
    public bool Serves(QueuePair queue) => LargestClass >= queue.VramClass && Models.Contains(queue.Model);
}

/// <summary>Jobs of one model and class: they wait in one line.</summary>
internal sealed record QueuePair(string Model, int VramClass);
