using System.Net;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Polling;

/// <summary>
/// A slot's life: one round after the other until the drain. The poll in flight brings a new job by itself; a bell only
/// cuts short a pause after trouble.
/// </summary>
internal sealed class SlotLoop(SlotRound round, Doorbell doorbell, WorkerDrain drain, WorkerMetrics metrics, ILogger<SlotLoop> log)
{
    public async Task RunAsync(Slot slot)
    {
        var standing = new SlotStanding();
        while (!drain.Draining.IsCancellationRequested)
        {
            try
            {
                await round.RunAsync(slot, standing);
            }
            catch (OperationCanceledException) when (drain.Draining.IsCancellationRequested)
            {
                return;
            }
            catch (FarmApiException fault) when (fault.Status == HttpStatusCode.NotFound || fault.IsIdentityInUse || fault.IsKeyRevoked)
            {
                log.WorkerUnknown(fault.Message);
                standing.NeedsRegistration = true;
            }
            catch (Exception fault) when (fault is not WorkerSettingException)
            {
                metrics.Leased("failed");
                var wait = standing.Backoff.Next();
                if (fault is FarmApiException)
                {
                    log.NoAnswer(slot.Id, wait.TotalSeconds, fault.Message);
                }
                else
                {
                    log.SlotFault(fault, slot.Id, wait.TotalSeconds);
                }

                await doorbell.WaitAsync(wait, drain.Draining);
            }
        }
    }
}
