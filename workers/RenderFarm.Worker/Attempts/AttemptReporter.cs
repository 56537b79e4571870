using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// Tells the API how an attempt ended, again and again until it is heard: the calls repeat safely. It stops trying when
/// it would have given up a render as well (the reaper then says "lost" for us), or soon after this worker was told to stop.
/// </summary>
internal sealed class AttemptReporter(
    IOptions<WorkerOptions> options,
    FarmApi api,
    WorkerDrain drain,
    TimeProvider time,
    ILogger<AttemptReporter> log
)
{
    /// <summary>Even where orphans are not wanted: an API that starts again takes some seconds.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestWhenStopping = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task ReportAsync(LeaseId lease, AttemptOutcome outcome)
    {
        var longest = TimeSpan.FromMinutes(options.Value.OrphanMinutes);
        longest = longest > Least ? longest : Least;
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                var recorded = await SendAsync(lease, outcome);
                if (recorded is not null)
                {
                    log.OutcomeReported(outcome.Name, recorded.State);
                }

                return;
            }
            catch (LeaseLostException)
            {
                log.OutcomeTooLate(outcome.Name);
                return;
            }
            catch (FarmApiException fault) when (!fault.MayPass)
            {
                log.OutcomeRefused(outcome.Name, fault.Message);
                return;
            }
            catch (FarmApiException fault)
            {
                var limit = drain.HandBack.IsCancellationRequested ? LongestWhenStopping : longest;
                if (time.GetElapsedTime(started) > limit)
                {
                    log.OutcomeUnreported(outcome.Name, fault.Message);
                    return;
                }

                await Task.Delay(Pause, time);
            }
        }
    }

    private async Task<LeaseOutcome?> SendAsync(LeaseId lease, AttemptOutcome outcome) =>
        outcome switch
        {
            AttemptOutcome.Failed failed => await api.FailAsync(
                lease,
                new FailRequest
                {
                    Reason = failed.Reason,
                    Message = failed.Message,
                    Measurements = failed.Measurements,
                    LogTail = failed.LogTail,
                },
                CancellationToken.None
            ),
            AttemptOutcome.HandedBack back => await api.ReleaseAsync(
                lease,
                new ReleaseRequest { Reason = back.Reason, Message = back.Message },
                CancellationToken.None
            ),
            _ => null, // A rendered video is reported by its upload; a lost lease is nobody's business here
        };
}
