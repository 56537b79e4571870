using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// Jobs by state and the age of queues. The store is asked every few seconds, not by each scrape; while it is away the
/// last figures stand, and <c>renderfarm.store.up</c> says so.
/// </summary>
public sealed partial class QueueGauges : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private readonly JobStore jobs;
    private readonly TimeProvider time;
    private readonly ILogger<QueueGauges> logger;
    private volatile JobCounts? counts;
    private volatile bool storeUp;

    public QueueGauges(JobStore jobs, TimeProvider time, IMeterFactory factory, ILogger<QueueGauges> logger)
    {
        (this.jobs, this.time, this.logger) = (jobs, time, logger);
        var meter = factory.Create(FarmMetrics.MeterName);
        meter.CreateObservableGauge("renderfarm.jobs", States, description: "Jobs by state.");
        meter.CreateObservableGauge("renderfarm.queue.depth", Depths, description: "Queued jobs by model and VRAM class.");
        meter.CreateObservableGauge("renderfarm.queue.oldest.age", Ages, "s", "Age of the oldest queued job by model and VRAM class.");
        meter.CreateObservableGauge("renderfarm.store.up", () => storeUp ? 1 : 0, description: "1 while the job store answers.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        await using var stop = stoppingToken.Register(timer.Dispose);
        do
        {
            try
            {
                counts = await jobs.CountsAsync(stoppingToken);
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
        }
        while (await timer.WaitForNextTickAsync(CancellationToken.None));
    }

    /// <summary>States without a job are shown as 0, so that a rate has something to start from.</summary>
    private IEnumerable<Measurement<int>> States() => counts is not { } now ? [] :
        Enum.GetValues<JobState>().Select(state => new Measurement<int>(now.ByState.GetValueOrDefault(state), new KeyValuePair<string, object?>("state", Wire.Word(state))));

    private IEnumerable<Measurement<int>> Depths() => counts is not { } now ? [] :
        now.Queues.Select(queue => new Measurement<int>(queue.Count, Tags(queue)));

    private IEnumerable<Measurement<double>> Ages() => counts is not { } now ? [] :
        now.Queues.Select(queue => new Measurement<double>((time.GetUtcNow() - queue.OldestQueuedAt).TotalSeconds, Tags(queue)));

    private static KeyValuePair<string, object?>[] Tags(QueueCount queue) =>
        [new("model", queue.Model), new("vram_class", Bells.ClassName(queue.VramClass))];

    [LoggerMessage(Level = LogLevel.Warning, Message = "The job store could not be counted: {Cause}")]
    private partial void LogAway(string cause);
}
