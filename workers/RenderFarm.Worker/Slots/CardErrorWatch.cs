using RenderFarm.Hosting.Loops;
using RenderFarm.Nvml;

namespace RenderFarm.Worker.Slots;

/// <summary>
/// Hears what the driver reports of the cards, and closes the slot of one that has failed before its next job does, until somebody resumes
/// it.
/// </summary>
internal sealed class CardErrorWatch(SlotDiscovery discovery, CardErrorRecord record, TimeProvider time, ILogger<CardErrorWatch> log)
    : ILoop
{
    private static readonly TimeSpan LookUpEvery = TimeSpan.FromSeconds(1);

    public string Name => "card_errors";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        if (discovery.Library is not { } library)
        {
            return;
        }

        using var errors = library.Listen();
        if (errors is null)
        {
            log.CardErrorsUntold();
            return;
        }

        // The driver holds the thread that waits for it
        await Task.Factory.StartNew(
            () =>
            {
                while (!cancellationToken.IsCancellationRequested)
                {
                    if (errors.Next(LookUpEvery) is { } error)
                    {
                        Take(error);
                    }

                    standing.Well();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    private void Take(CardError error)
    {
        var slot = discovery.Slots.FirstOrDefault(slot => error.Card is { } card && slot.CardUuid == card.Uuid);
        if (slot is null || XidErrors.Find(error.Xid) is not { } known)
        {
            log.CardErrorPassedOver(error.Xid, slot?.Id ?? "a card without a slot");
            return;
        }

        slot.Reported(error.Xid);
        slot.Break(known);
        record.Note(slot.CardUuid!, known, time.GetUtcNow());
        log.Quarantined(slot.Id, slot.Quarantine);
    }
}
