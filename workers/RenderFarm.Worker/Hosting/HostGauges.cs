using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Hosting;

/// <summary>What this host holds for its renders and their videos, read by each scrape.</summary>
internal sealed class HostGauges(
    IOptions<WorkerOptions> options,
    SlotDiscovery discovery,
    RendererLauncher launcher,
    CardGuard cards,
    HostWeightCache weights,
    UploadSpool spool,
    FreeSpace disks
)
{
    public void ShownBy(WorkerMetrics metrics)
    {
        var slots = discovery.Slots;
        metrics.Observe(WorkerInstruments.StandbyLoaded, slots, slot => launcher.IsLoaded(slot) ? 1 : 0);
        metrics.Observe(WorkerInstruments.MemoryUnreclaimed, slots, cards.UnreclaimedBytes);
        metrics.Observe(WorkerInstruments.WeightCacheSize, () => weights.SizeBytes);
        metrics.Observe(WorkerInstruments.WeightCacheLimit, () => Math.Max(0, weights.LimitBytes));
        metrics.Observe(WorkerInstruments.SpoolEntries, () => spool.Count);
        metrics.Observe(WorkerInstruments.SpoolSize, () => spool.Bytes);
        metrics.Observe(WorkerInstruments.SpoolLimit, () => Gibibytes.ToBytes(options.Value.SpoolGigabytes));
        metrics.Observe(WorkerInstruments.SpoolOldestAge, () => spool.OldestAge?.TotalSeconds ?? 0);
        metrics.Observe(WorkerInstruments.DiskFree, () => disks.BytesFor(options.Value.DataDirectory));
    }
}
