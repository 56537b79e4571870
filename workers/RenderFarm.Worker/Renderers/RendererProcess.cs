using RenderFarm.Worker.Children;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>One renderer, from its start to its end: a process, what its card looked like before, and its share of host memory.</summary>
internal sealed class RendererProcess : IDisposable
{
    private readonly MemoryGroup? _group;

    internal RendererProcess(ChildProcess child, CardBefore? before, MemoryGroup? group, long limitBytes)
    {
        Child = child;
        Before = before;
        _group = group;
        LimitBytes = limitBytes;
    }

    public ChildProcess Child { get; }

    /// <summary>Null on a CPU.</summary>
    public CardBefore? Before { get; }

    /// <summary>Host memory that it may take; prepared weights, which renderers share, don't count.</summary>
    public long LimitBytes { get; }

    /// <summary>What it takes of host memory now; 0 when it has ended.</summary>
    public long HostBytes => ProcessMemory.AnonymousBytes(Child.Id);

    /// <summary>The kernel has ended it for going over its limit.</summary>
    public bool WasOutOfMemory => _group?.OutOfMemoryKills > 0;

    public void Dispose()
    {
        Child.Dispose();
        _group?.Dispose();
    }
}
