using RenderFarm.Hosting.Loops;

namespace RenderFarm.Worker.Polling;

/// <summary>How a slot stands with the API, from one request for work to the next.</summary>
internal sealed class SlotStanding
{
    /// <summary>After trouble; begins anew with each answer.</summary>
    public Backoff Backoff { get; } = new(0.5, 5);

    /// <summary>It was closed when it was last looked at.</summary>
    public bool Closed { get; set; }

    /// <summary>The API does not know this worker, or not how the slot is now.</summary>
    public bool NeedsRegistration { get; set; }

    /// <summary>The API was told that it takes no jobs.</summary>
    public bool RegisteredAsClosed { get; set; }
}
