using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Nvml;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>
/// Starts renderers, a fresh process for each job. With <c>Worker:Standby</c> a slot's next one is started as soon as the
/// last has ended and waits for its order past runtime start, libtorch and device context, with the weights of the job that is
/// expected near: the restart costs nothing.
/// </summary>
/// <remarks>
/// A standby's memory counts as free to the plan, because it is the process that will run. It dies with this worker like any
/// other renderer: its input closes, and it watches its parent.
/// </remarks>
internal sealed class RendererLauncher(
    IOptions<WorkerOptions> options,
    RendererTorch torch,
    SlotDiscovery slots,
    CardGuard guard,
    ExpectedOrders expected,
    ILogger<RendererLauncher> log
) : IDisposable
{
    private const long LeastCard = 12 * Gibibytes.One; // Of which a context is a twentieth
    private const int FirstToGo = 900; // Of 1000, when host memory runs out
    private const double DefaultPart = 0.9;
    private static readonly string[] Render = ["render"];
    private readonly ConcurrentDictionary<string, RendererProcess> _standby = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (CardBefore? Before, int Renderer)> _last = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>The slot's standby, or a fresh process where there is none or the job wants an environment of its own.</summary>
    /// <exception cref="FileNotFoundException">There is no renderer program.</exception>
    public RendererProcess Take(Slot slot, DebugSwitches? debug)
    {
        _standby.TryRemove(slot.Id, out var standby);
        var usable = standby is { Child.IsAlive: true } && debug is not { CudaLaunchBlocking: true };
        if (!usable && standby is not null)
        {
            if (!standby.Child.IsAlive)
            {
                log.StandbyDied(slot.Id, standby.Child.Errors.LastLine);
            }

            standby.Dispose();
        }

        var renderer = usable ? standby! : Start(slot, Render, options.Value.DataDirectory, debug);
        _last[slot.Id] = (renderer.Before, renderer.Child.Id);
        return renderer;
    }

    /// <summary>After a job: sees that the card's memory is back, then has the next renderer stand by.</summary>
    public async Task ConcludeAsync(Slot slot)
    {
        if (_last.TryRemove(slot.Id, out var last))
        {
            await guard.CheckAsync(slot, last.Before, last.Renderer);
        }

        if (slot.Quarantine is null)
        {
            StandBy(slot);
        }
    }

    /// <summary>The slot's next renderer has its last model's weights near.</summary>
    public bool IsLoaded(Slot slot) => _standby.TryGetValue(slot.Id, out var standby) && standby.IsLoaded;

    /// <summary>Has a renderer stand by and, between two jobs, get ready for the one that is expected.</summary>
    public void StandBy(Slot slot)
    {
        if (_disposed || !StandsBy(slot))
        {
            return;
        }

        if (_standby.TryGetValue(slot.Id, out var standby))
        {
            Load(slot, standby);
            return;
        }

        try
        {
            var next = Start(slot, Render, options.Value.DataDirectory);
            if (!_standby.TryAdd(slot.Id, next))
            {
                next.Dispose();
                return;
            }

            Load(slot, next);
        }
        catch (Exception fault) when (fault is IOException or InvalidOperationException)
        {
            log.NoStandby(slot.Id, fault.Message);
        }
    }

    /// <summary>The slot's standby goes: nobody will have an order for it.</summary>
    public void StandDown(Slot slot)
    {
        if (_standby.TryRemove(slot.Id, out var standby))
        {
            standby.Dispose();
        }
    }

    /// <summary>What a renderer of this slot could take now: what is free, and what its standby holds already.</summary>
    /// <exception cref="NvmlException">The driver doesn't answer for the card (any more).</exception>
    public long FreeBytes(Slot slot)
    {
        if (!_standby.TryGetValue(slot.Id, out var standby))
        {
            return slot.FreeBytes;
        }

        var held = slot.Card is { } card ? card.HeldBy(standby.Child.Id) : standby.HostBytes;
        var free = Math.Min(slot.Description.TotalBytes, slot.FreeBytes + held);
        return standby.IsLoading ? Math.Max(free, standby.FreeBytesBefore) : free;
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (var slot in slots.Slots)
        {
            StandDown(slot);
        }
    }

    /// <summary>The renderer's program on a slot's device, with what its jobs have there, for something else than a job.</summary>
    /// <exception cref="FileNotFoundException">There is no renderer program.</exception>
    public RendererProcess StartVerb(Slot slot, params string[] verb) => Start(slot, verb, Path.GetTempPath());

    /// <summary>By default on a card that is large enough for a context beside whatever else it does.</summary>
    private bool StandsBy(Slot slot) =>
        options.Value.Standby ?? (slot.Kind == SlotKind.Cuda && slot.Description.TotalBytes >= LeastCard);

    private void Load(Slot slot, RendererProcess standby)
    {
        if (standby.IsTold || expected.Of(slot.Id) is not { } order || slot.Pause.TryTake(TimeSpan.Zero, () => 0) is not { } pause)
        {
            return;
        }

        try
        {
            var free = FreeBytes(slot);
            if (free >= order.Plan.PredictedPeakBytes)
            {
                _ = LoadAsync(slot, standby, order, free, pause);
                return;
            }

            log.NoRoomToLoad(slot.Id, order.Spec.Model, free);
        }
        catch (NvmlException fault)
        {
            log.NoStandby(slot.Id, fault.Message);
        }

        pause.Dispose();
    }

    /// <summary>Never fails. A job that comes meanwhile has the slot at once: the renderer gives way by itself.</summary>
    private async Task LoadAsync(Slot slot, RendererProcess standby, RenderOrder order, long free, PauseUse pause)
    {
        using (pause)
        {
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAny(standby.LoadAsync(order, free), Task.Delay(Timeout.InfiniteTimeSpan, pause.Ending));
            if (standby.IsLoaded)
            {
                log.Loaded(slot.Id, order.Spec.Model, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }
    }

    private RendererProcess Start(Slot slot, string[] verb, string folder, DebugSwitches? debug = null)
    {
        var before = CardGuard.Look(slot);
        var environment = ChildEnvironment.ForRenderer(torch.Folders, slot.CardUuid, Threads, debug);
        var child = ChildProcess.Start(
            options.Value.RendererPath,
            [.. verb, "--device", slot.Kind == SlotKind.Cuda ? "cuda" : "cpu"],
            environment,
            folder,
            FirstToGo
        );
        var limit = options.Value.RendererMemoryGigabytes is { } given
            ? Gibibytes.ToBytes(given)
            : (long)(HostMemory.TotalBytes * DefaultPart);
        return new RendererProcess(child, before, MemoryGroup.TryCreate(child.Id, limit), limit);
    }

    /// <summary>The same for every renderer of a slot: sums in another order give other frames.</summary>
    private int Threads =>
        options.Value.RendererThreads
        ?? (
            int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), out var given) && given > 0
                ? given
                : Math.Max(1, Environment.ProcessorCount / slots.Slots.Count)
        );
}
