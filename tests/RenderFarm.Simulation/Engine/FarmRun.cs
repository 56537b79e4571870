using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Retries;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Results;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Engine;

/// <summary>
/// One farm from its first job to the end of the time, event by event: jobs come, cards take and end them, some die. All chance is of the
/// seed, and what befalls a job hangs on its number and attempt, so that every queue meets the same luck.
/// </summary>
internal sealed class FarmRun(CardPark park, IJobQueue queue, FarmRules rules, int seed)
{
    private const double SampleEvery = 300;
    private readonly PriorityQueue<Func<Task>, (double At, long Order)> _events = new();
    private readonly RetryPolicy _retries = new(() => 0.5);
    private readonly Random _bells = new(seed);
    private readonly Random _spot = new(seed + 1);
    private readonly Dictionary<Customer, int> _waitingOf = [];
    private readonly List<Sample> _samples = [];
    private double _now;
    private long _order;
    private int _waiting;
    private int _rendering;

    /// <param name="arrivals">In the order of their moments.</param>
    /// <param name="seconds">When the simulation ends, whoever still waits.</param>
    /// <param name="cancellationToken">Looked at between events.</param>
    public async Task<Outcome> RunAsync(IReadOnlyList<Arrival> arrivals, double seconds, CancellationToken cancellationToken)
    {
        foreach (var card in park.Cards)
        {
            park.SetIdle(card, queue.PoolOf(card));
            if (card.IsSpot)
            {
                At(SpotTime(rules.SpotLife), () => GoAsync(card));
            }
        }

        Next(arrivals, 0);
        At(1, TickAsync);
        At(rules.LooksEvery, LookAsync);
        At(SampleEvery, SampleAsync);
        while (_events.TryDequeue(out var happens, out var when) && when.At <= seconds)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _now = when.At;
            await happens();
        }

        foreach (var card in park.Cards)
        {
            card.ThereSeconds += card.IsThere ? seconds - card.ThereSince : 0;
        }

        return new Outcome(queue.Name, seconds, [.. arrivals.SelectMany(arrival => arrival.Jobs)], park.Cards, _samples);
    }

    private void At(double after, Func<Task> happens) => _events.Enqueue(happens, (_now + after, _order++));

    private void Next(IReadOnlyList<Arrival> arrivals, int at)
    {
        if (at < arrivals.Count)
        {
            At(arrivals[at].At - _now, () => ArriveAsync(arrivals, at));
        }
    }

    private async Task ArriveAsync(IReadOnlyList<Arrival> arrivals, int at)
    {
        var jobs = arrivals[at].Jobs;
        await queue.SubmitAsync(jobs, _now);
        Wait(jobs[0].Customer, jobs.Count);
        foreach (var job in jobs)
        {
            await RingAsync(job);
        }

        Next(arrivals, at + 1);
    }

    /// <summary>A job waits: some idle card that could take it asks.</summary>
    private async Task RingAsync(VideoJob job)
    {
        if (park.AnyIdleFor(job, _bells, pool => queue.Serves(pool, job)) is { } card)
        {
            await AskAsync(card);
        }
    }

    private async Task AskAsync(Card card)
    {
        if (await queue.TakeAsync(card, _now) is not { } job)
        {
            return;
        }

        park.SetBusy(card, queue.PoolOf(card));
        Wait(job.Customer, -1);
        _rendering++;
        job.TakenAt ??= _now;
        job.Fence++;
        card.Job = job;
        var luck = new Random(HashCode.Combine(seed, job.Number, job.Fence));
        var start = card.CachedModel == job.Kind.Needs.Model ? rules.WarmStart : rules.ColdStart;
        var planned =
            job.Kind.SecondsOn(card.Kind)
            ?? throw new InvalidOperationException($"no plan for '{job.Kind.Name}' on {card.Kind.Name}, which was given it");
        var takes = start + (planned * Math.Exp(rules.Spread * Normal(luck)));
        card.CachedModel = job.Kind.Needs.Model;
        var (life, began) = (card.Life, _now);
        var (fails, reason) =
            luck.NextDouble() < 1 / rules.CrashesIn ? (true, FailureReason.RendererCrashed)
            : luck.NextDouble() < 1 / rules.OutOfMemoryIn ? (true, FailureReason.GpuOutOfMemory)
            : (false, default);
        At(
            fails ? takes * luck.NextDouble() : takes,
            () => card.Life == life ? EndAsync(card, job, began, fails ? reason : null) : Task.CompletedTask
        );
    }

    private async Task EndAsync(Card card, VideoJob job, double began, FailureReason? failure)
    {
        Leave(card, job, began);
        park.SetIdle(card, queue.PoolOf(card));
        await DecideAsync(card, job, failure);
        await AskAsync(card);
        // The key may have had as many on cards as it may: one more of its jobs can go now, wherever
        if (job.Customer.MaxRunning is not null && _waitingOf.GetValueOrDefault(job.Customer) > 0 && card.Job is not null)
        {
            await RingAsync(job);
        }
    }

    private void Leave(Card card, VideoJob job, double began)
    {
        card.Job = null;
        card.BusySeconds += _now - began;
        job.CardSeconds += _now - began;
        job.MemorySeconds += (_now - began) * card.Kind.State.TotalBytes / (1L << 30);
        _rendering--;
    }

    private async Task DecideAsync(Card card, VideoJob job, FailureReason? failure)
    {
        if (failure is not { } reason)
        {
            job.EndedAt = _now;
            await queue.EndAsync(job, card, new JobEnd(JobState.Completed, job.Tally) { Artifacts = "[]" }, _now);
            return;
        }

        switch (_retries.Decide(reason, job.Tally, progressed: true))
        {
            case RetryDecision.Again again:
                job.Tally = again.Tally;
                var avoid = ReasonRule.Of(reason).MayBeTheWorkers ? TimeSpan.FromSeconds(rules.AvoidFor) : TimeSpan.Zero;
                var back = new JobEnd(JobState.Queued, again.Tally) { RetryAfter = again.After, Avoided = avoid };
                await queue.EndAsync(job, card, back, _now);
                Wait(job.Customer, 1);
                At(again.After.TotalSeconds + 0.001, () => RingAsync(job));
                break;
            case RetryDecision.Final final:
                job.Tally = final.Tally;
                (job.EndedAt, job.Failed) = (_now, true);
                var failed = new JobEnd(JobState.Failed, final.Tally) { ErrorCode = final.ErrorCode, Message = "" };
                await queue.EndAsync(job, card, failed, _now);
                break;
        }
    }

    private Task GoAsync(Card card)
    {
        card.IsThere = false;
        card.Life++;
        card.ThereSeconds += _now - card.ThereSince;
        card.CachedModel = null;
        if (card.Job is { } job)
        {
            card.Job = null;
            _rendering--;
            At(rules.LeaseEndsAfter, () => DecideAsync(card, job, FailureReason.WorkerLost));
        }
        else
        {
            park.SetBusy(card, queue.PoolOf(card));
        }

        At(SpotTime(rules.SpotAway), () => ComeAsync(card));
        return Task.CompletedTask;
    }

    private Task ComeAsync(Card card)
    {
        card.IsThere = true;
        card.ThereSince = _now;
        park.SetIdle(card, queue.PoolOf(card));
        At(SpotTime(rules.SpotLife), () => GoAsync(card));
        return AskAsync(card);
    }

    private async Task TickAsync()
    {
        await queue.TickAsync(_now);
        At(1, TickAsync);
    }

    private Task LookAsync()
    {
        if (park.Cards.Any(card => card.IsSpot))
        {
            park.LookAgain();
            At(rules.LooksEvery, LookAsync);
        }

        return Task.CompletedTask;
    }

    private Task SampleAsync()
    {
        if (_now % 3_600 < SampleEvery)
        {
            Console.Error.WriteLine($"{queue.Name}: hour {_now / 3_600:0}, {_rendering} on cards, {_waiting} waiting");
        }

        _samples.Add(new Sample(_now, _waiting, _rendering));
        At(SampleEvery, SampleAsync);
        return Task.CompletedTask;
    }

    private void Wait(Customer customer, int jobs)
    {
        _waiting += jobs;
        _waitingOf[customer] = _waitingOf.GetValueOrDefault(customer) + jobs;
    }

    private double SpotTime(double mean) => -mean * Math.Log(1 - _spot.NextDouble());

    /// <summary>Box and Muller's.</summary>
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
