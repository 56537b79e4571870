using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Polling;

/// <summary>One pass of a slot: 1 may it take a job, 2 a renderer stands by and has its turn, 3 ask, 4 run what came.</summary>
internal sealed class SlotRound(
    SlotAdmission admission,
    RendererLauncher launcher,
    RendererTurns turns,
    WorkPoll poll,
    AttemptRunner attempts,
    WorkerRegistration registration,
    WorkerDrain drain
)
{
    public async Task RunAsync(Slot slot, SlotStanding standing)
    {
        // 1
        if (!await admission.AdmitsAsync(slot, standing))
        {
            if (slot.CardError is not null)
            {
                launcher.StandDown(slot); // A card is reset when nobody is on it
            }

            return;
        }

        // 2
        if (!drain.IsDraining)
        {
            launcher.StandBy(slot);
        }

        using var turn = await turns.TakeAsync(drain.Draining);

        // 3
        var grant = await poll.AskAsync(slot, drain.Draining);
        standing.Backoff.Reset();
        if (grant is null)
        {
            return;
        }

        // 4
        drain.OrderedByFarm = false; // Or there were none.
        await slot.Pause.EndAsync();
        try
        {
            await attempts.RunAsync(slot, grant, registration.Settings);
        }
        finally
        {
            slot.Pause.Begin();
        }
    }
}
