using System.Diagnostics.Metrics;
using RenderFarm.Api.Hosting;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// Jobs by state and the age of queues. The store is asked every few seconds, not by each scrape, and the longer the
/// counting takes the more rarely; while the store is away the last figures stand, and <c>renderfarm.store.up</c> says so.
/// </summary>
public sealed partial class QueueGauges : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Of those that have ended, which is a matter of all rows and changes nobody's plans.</summary>
    private static readonly TimeSpan EndedPeriod = TimeSpan.FromMinutes(1);

    /// <summary>Counting may take this part of one connection's time.</summary>
    private const double Share = 0.02;
    private readonly JobStore jobs;
    private readonly Readiness readiness;
    private readonly TimeProvider time;
    private readonly ILogger<QueueGauges> logger;
    private volatile JobCounts? counts;
    private volatile IReadOnlyDictionary<JobState, int> ended = new Dictionary<JobState, int>();
    private volatile bool storeUp;

    public QueueGauges(JobStore jobs, Readiness readiness, TimeProvider time, IMeterFactory factory, ILogger<QueueGauges> logger)
    {
        (this.jobs, this.readiness, this.time, this.logger) = (jobs, readiness, time, logger);
        var meter = factory.Create(FarmMetrics.MeterName);
        meter.CreateObservableGauge("renderfarm.jobs", States, description: "Jobs by state.");
        meter.CreateObservableGauge("renderfarm.queue.depth", Depths, description: "Queued jobs by model and VRAM class.");
        meter.CreateObservableGauge("renderfarm.queue.oldest.age", Ages, "s", "Age of the oldest queued job by model and VRAM class.");
        meter.CreateObservableGauge("renderfarm.store.up", () => storeUp ? 1 : 0, description: "1 while the job store answers.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        using var timer = new PeriodicTimer(Period, time);
        await using var stop = stoppingToken.Register(timer.Dispose);
        Due active = new(Period),
            all = new(EndedPeriod);
        do
        {
            try
            {
                if (active.IsDue(time))
                    await active.MeasureAsync(time, async () => counts = await jobs.CountsAsync(stoppingToken));
                if (all.IsDue(time))
                    await all.MeasureAsync(time, async () => ended = await jobs.EndedCountsAsync(stoppingToken));
                storeUp = true;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                storeUp = false;
                LogAway(e.Message);
            }
        } while (await timer.WaitForNextTickAsync(CancellationToken.None));
    }

    /// <summary>States without a job are shown as 0, so that a rate has something to start from.</summary>
    private IEnumerable<Measurement<int>> States() =>
        counts is not { } now
            ? []
            : Enum.GetValues<JobState>()
                .Select(state => new Measurement<int>(
                    now.ByState.GetValueOrDefault(state) + ended.GetValueOrDefault(state),
                    new KeyValuePair<string, object?>("state", Wire.Word(state))
                ));

    private IEnumerable<Measurement<int>> Depths() =>
        counts is not { } now ? [] : now.Queues.Select(queue => new Measurement<int>(queue.Count, Tags(queue)));

    private IEnumerable<Measurement<double>> Ages() =>
        counts is not { } now
            ? []
            : now.Queues.Select(queue => new Measurement<double>((time.GetUtcNow() - queue.OldestQueuedAt).TotalSeconds, Tags(queue)));

    private static KeyValuePair<string, object?>[] Tags(QueueCount queue) =>
        [new("model", queue.Model), new("vram_class", Bells.ClassName(queue.VramClass))];

    /// <summary>When to count again: after the period, or so much later that counting stays within its share.</summary>
    private sealed class Due(TimeSpan period)
    {
        private long? last;
        private TimeSpan pause;

        public bool IsDue(TimeProvider time) => last is not { } at || time.GetElapsedTime(at) >= pause;

        public async Task MeasureAsync(TimeProvider time, Func<Task> count)
        {
            var began = time.GetTimestamp();
            await count();
            last = time.GetTimestamp();
            var rested = time.GetElapsedTime(began) / Share;
            // the timer's own tick is a little early or late: half of one is near enough
            pause = (rested > period ? rested : period) - (Period / 2);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The job store could not be counted: {Cause}")]
    private partial void LogAway(string cause);
}
