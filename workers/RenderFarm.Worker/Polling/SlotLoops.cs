using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Polling;

/// <summary>The loops of all slots.</summary>
internal sealed class SlotLoops(SlotDiscovery discovery, SlotLoop loop, RendererLauncher launcher)
{
    public IReadOnlyList<Slot> Slots => discovery.Slots;

    /// <summary>Until all have ended, and what runs beside them; then standbys go, since nobody waits for their order any more.</summary>
    public async Task RunAsync(Task beside)
    {
        await Task.WhenAll(Slots.Select(loop.RunAsync));
        await beside;
        launcher.Dispose();
    }
}
