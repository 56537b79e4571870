using System.Net;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Slots;

/// <summary>
/// A slot's life: ask for work by a long poll, run what comes, ask again. The poll in flight brings a new job by itself;
/// a bell only cuts short a pause after trouble.
/// </summary>
public sealed class SlotLoop(
    IOptions<WorkerOptions> options,
    FarmApi api,
    WorkerRegistration registration,
    AttemptRunner attempts,
    RendererLauncher launcher,
    HostWeightCache cache,
    SlotGate gate,
    RendererTurns turns,
    Doorbell doorbell,
    WorkerDrain drain,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<SlotLoop> log
)
{
    private static readonly TimeSpan ClosedPause = TimeSpan.FromSeconds(5);

    /// <summary>Slots that share turns ask one after the other.</summary>
    private const double SharedWaitSeconds = 2;

    public async Task RunAsync(Slot slot)
    {
        var pause = new Pause(0.5, 5);
        var closed = false;
        var unknown = false;
        var told = false;
        while (!drain.Draining.IsCancellationRequested)
        {
            try
            {
                var why = gate.WhyClosed(slot);
                unknown |= told != slot.Quarantine is not null; // Operators see it in the list of workers
                if (why is not null && !closed)
                {
                    log.LogWarning("Slot {Slot} is closed: {Reason}", slot.Id, why);
                }

                if (why is null && closed)
                {
                    log.LogInformation("Slot {Slot} is open again", slot.Id);
                }

                closed = why is not null;
                if (unknown)
                {
                    await registration.RegisterAsync(drain.Draining);
                }

                (unknown, told) = (false, slot.Quarantine is not null);
                if (closed)
                {
                    await Task.Delay(ClosedPause, time, drain.Draining);
                    continue;
                }

                if (!drain.IsDraining)
                {
                    launcher.StandBy(slot);
                }

                using var turn = await turns.TakeAsync(drain.Draining);
                var grant = await LeaseAsync(slot);
                pause.Reset();
                if (grant is null)
                {
                    continue;
                }

                drain.OrderedByFarm = false; // Or there were none
                await attempts.RunAsync(slot, grant, registration.Settings);
            }
            catch (OperationCanceledException) when (drain.Draining.IsCancellationRequested)
            {
                return;
            }
            catch (FarmApiException fault) when (fault.Status == HttpStatusCode.NotFound)
            {
                log.LogWarning("The API does not know this worker any more, registering again");
                unknown = true;
            }
            catch (Exception fault) when (fault is not WorkerSettingException)
            {
                metrics.Leased("failed");
                var wait = pause.Next();
                if (fault is FarmApiException)
                {
                    log.LogWarning(
                        "Slot {Slot} got no answer, next try in {Seconds:0.0} s: {Reason}",
                        slot.Id,
                        wait.TotalSeconds,
                        fault.Message
                    );
                }
                else
                {
                    log.LogError(fault, "Slot {Slot} met an unexpected fault, next try in {Seconds:0.0} s", slot.Id, wait.TotalSeconds);
                }

                await doorbell.WaitAsync(wait, drain.Draining);
            }
        }
    }

    private async Task<LeaseGrant?> LeaseAsync(Slot slot)
    {
        var request = new LeaseRequest()
        {
            WorkerId = registration.WorkerId,
            SlotId = slot.Id,
            FreeBytes = launcher.FreeBytes(slot),
            CachedModels = cache.Models,
            WaitSeconds = turns.AreScarce ? Math.Min(options.Value.LeaseWaitSeconds, SharedWaitSeconds) : options.Value.LeaseWaitSeconds,
        };
        var grant = await api.LeaseAsync(request, drain.Draining);
        metrics.Leased(grant is null ? "none" : "granted");
        return grant;
    }
}
