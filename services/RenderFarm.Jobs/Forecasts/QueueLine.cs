namespace RenderFarm.Jobs.Forecasts;

/// <summary>The jobs that wait for one model, first to last, up to so many; and when each place of the line begins.</summary>
internal sealed class QueueLine
{
    /// <summary>Further behind, one is "1,001st": nobody needs it more exact, and counting has its price.</summary>
    public const int Longest = 1_000;

    private readonly Lock _gate = new();
    private readonly List<double> _orderKeys;
    private readonly List<double> _estimated;
    private readonly IReadOnlyList<(SlotTime Slot, int LargestClass)> _slots;
    private readonly Dictionary<int, StartTimes?> _starts = [];

    /// <param name="jobs">In order.</param>
    /// <param name="at">When this was so.</param>
    public QueueLine(
        IReadOnlyList<(double OrderKey, double Estimated)> jobs,
        IReadOnlyList<(SlotTime Slot, int LargestClass)> slots,
        long at,
        int version
    )
    {
        (_orderKeys, _estimated) = ([.. jobs.Select(job => job.OrderKey)], [.. jobs.Select(job => job.Estimated)]);
        (_slots, At, Version) = (slots, at, version);
    }

    public long At { get; }
    public int Version { get; }

    /// <summary>As it is now: who joins one of them has not joined the other.</summary>
    public QueueLine Copy()
    {
        lock (_gate)
        {
            return new QueueLine([.. _orderKeys.Zip(_estimated)], _slots, At, Version);
        }
    }

    public void Join(double orderKey, double estimated)
    {
        lock (_gate)
        {
            var place = Before(orderKey);
            if (place == Longest)
            {
                return;
            }

            _orderKeys.Insert(place, orderKey);
            _estimated.Insert(place, estimated);
            if (_orderKeys.Count > Longest)
            {
                _orderKeys.RemoveAt(Longest);
                _estimated.RemoveAt(Longest);
            }
            // A job that joins at the end begins when those before it have: what is known holds
            if (place < _orderKeys.Count - 1)
            {
                _starts.Clear();
            }
        }
    }

    public int Ahead(double orderKey)
    {
        lock (_gate)
        {
            return Before(orderKey);
        }
    }

    public bool Holds(double orderKey)
    {
        lock (_gate)
        {
            return _orderKeys.BinarySearch(orderKey) >= 0;
        }
    }

    /// <summary>When the job after so many begins, and where; null where nobody takes jobs of its class.</summary>
    public (double In, SlotTime On)? StartAfter(int ahead, int vramClass)
    {
        lock (_gate)
        {
            if (!_starts.TryGetValue(vramClass, out var starts))
            {
                var slots = _slots.Where(slot => slot.LargestClass >= vramClass).Select(slot => slot.Slot).ToList();
                _starts[vramClass] = starts = slots.Count == 0 ? null : new StartTimes(slots);
            }
            return starts?.After(ahead, _estimated);
        }
    }

    private int Before(double orderKey)
    {
        var place = _orderKeys.BinarySearch(orderKey);
        if (place < 0)
        {
            return ~place;
        }

        while (place > 0 && _orderKeys[place - 1] == orderKey)
        {
            place--;
        }

        return place;
    }
}
