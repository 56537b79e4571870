using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>Limits how many renderers are at work at a time: a slot asks for a job only while it has a turn.</summary>
internal sealed class RendererTurns(IOptions<WorkerOptions> options, SlotDiscovery slots) : IDisposable
{
    private readonly SemaphoreSlim _turns = new(options.Value.MaxRenderers ?? slots.Slots.Count);

    /// <summary>Fewer than slots.</summary>
    public bool AreScarce => options.Value.MaxRenderers < slots.Slots.Count;

    public async Task<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        return new Turn(_turns);
    }

    public void Dispose() => _turns.Dispose();

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
