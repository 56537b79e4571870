namespace RenderFarm.Jobs.Forecasts;

/// <summary>A slot as a queue sees it.</summary>
/// <param name="FreeIn">Seconds until it has done what it holds; 0 for an idle one.</param>
/// <param name="Factor">What it takes, in units of a job's estimated seconds.</param>
internal readonly record struct SlotTime(string Card, double FreeIn, double Factor);

/// <summary>When the jobs of a queue begin if each goes to the slot that is free first. Worked out as far as somebody asks.</summary>
/// <param name="slots">At least one.</param>
internal sealed class StartTimes(IEnumerable<SlotTime> slots)
{
    private readonly PriorityQueue<SlotTime, double> _free = new(slots.Select(slot => (slot, slot.FreeIn)));
    private readonly List<(double In, SlotTime On)> _starts = [];

    /// <param name="estimated">Seconds of each job, first to last; what an earlier call has seen of it may not have changed.</param>
    /// <returns>When the job after so many begins, in seconds from the slots' now, and on which slot.</returns>
    public (double In, SlotTime On) After(int jobs, IReadOnlyList<double> estimated)
    {
        while (_starts.Count <= jobs)
        {
            _free.TryPeek(out var slot, out var at);
            if (_starts.Count > 0)
            {
                _free.DequeueEnqueue(slot, at + (estimated[_starts.Count - 1] * slot.Factor));
                _free.TryPeek(out slot, out at);
            }
            _starts.Add((at, slot));
        }
        return _starts[jobs];
    }
}
