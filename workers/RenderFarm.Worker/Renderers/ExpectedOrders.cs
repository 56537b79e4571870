using System.Collections.Concurrent;
using RenderFarm.Contracts.Rendering;

namespace RenderFarm.Worker.Renderers;

/// <summary>What the next job of each slot will probably need: what its last one did.</summary>
internal sealed class ExpectedOrders
{
    private readonly ConcurrentDictionary<string, RenderOrder> _last = new(StringComparer.Ordinal);

    /// <summary>A job of this order was rendered.</summary>
    public void Rendered(string slot, RenderOrder order) =>
        _last[slot] = order with
        {
            Ahead = true,
            JobId = "",
            FramePipe = "",
            WorkDirectory = "",
            InputFiles = new Dictionary<string, string>(),
            Spec = order.Spec with { Prompt = "", NegativePrompt = "", Debug = null },
        };

    /// <summary>Null before the first one, and where the last one's weights were not kept on this host.</summary>
    public RenderOrder? Of(string slot) => _last.GetValueOrDefault(slot) is { WeightCache: not null } order ? order : null;
}
