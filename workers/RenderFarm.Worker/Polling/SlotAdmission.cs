using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Polling;

/// <summary>Before each request for work: may the slot take a job, and does the API know how it stands?</summary>
internal sealed class SlotAdmission(
    SlotGate gate,
    EncoderGuard encoder,
    WorkerRegistration registration,
    WorkerDrain drain,
    TimeProvider time,
    ILogger<SlotAdmission> log
)
{
    private static readonly TimeSpan ClosedPause = TimeSpan.FromSeconds(5);

    /// <returns>False after a while in which the slot was closed: look again.</returns>
    public async Task<bool> AdmitsAsync(Slot slot, SlotStanding standing)
    {
        await encoder.LookAsync(drain.Draining);
        slot.Closed = gate.WhyClosed();
        var why = gate.WhyClosed(slot);
        var quarantined = slot.Quarantine is not null;
        // Operators see it in the list of workers, and nobody counts on it; and as it asks for no work, this is how it is heard of, and
        // how it hears that somebody has resumed it
        standing.NeedsRegistration |= why is not null || standing.RegisteredAsClosed;
        if (why is not null && !standing.Closed)
        {
            log.SlotClosed(slot.Id, why);
        }

        if (why is null && standing.Closed)
        {
            log.SlotOpenAgain(slot.Id);
        }

        standing.Closed = why is not null;
        if (standing.NeedsRegistration)
        {
            await registration.RegisterAsync(drain.Draining);
            (standing.NeedsRegistration, standing.RegisteredAsClosed) = (false, why is not null);
            if (quarantined && registration.IsToResume(slot.Id))
            {
                gate.Resume(slot);
                await encoder.ReviewAsync();
                return false;
            }
        }

        if (standing.Closed)
        {
            await Task.Delay(ClosedPause, time, drain.Draining);
        }

        return !standing.Closed;
    }
}
