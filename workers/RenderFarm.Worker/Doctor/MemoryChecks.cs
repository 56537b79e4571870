using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning;
using RenderFarm.Planning.Requests;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Doctor;

/// <summary>Host memory and shared memory against the models that are here.</summary>
internal static class MemoryChecks
{
    /// <summary>GiB.</summary>
    private const int LargeCard = 80;

    public static IEnumerable<HostCheck> Of(
        SlotDiscovery discovery,
        ModelCatalog catalog,
        HostWeightCache cache,
        FreeSpace disks,
        WorkerOptions options
    )
    {
        var finding = $"{Names.Gib(HostMemory.AvailableBytes)} available of {Names.Gib(HostMemory.TotalBytes)}";
        if (catalog.Models.Count == 0)
        {
            yield return HostCheck.Without("models", "none here", "./farm models add ID FOLDER, or ./farm demo for the small one");
        }

        var cards = discovery.Slots.Any(slot => slot.Kind == SlotKind.Cuda);
        if (!cards)
        {
            yield return HostCheck.Ok("host memory", finding);
            foreach (var model in catalog.Models.Values)
            {
                yield return OnCpu(model, discovery.Slots[0]);
            }

            yield break;
        }

        yield return HostCheck.Ok("host memory", $"{finding}; prepared weights may take {Names.Gib(cache.LimitBytes)} of it");
        long largest = 0;
        foreach (var model in catalog.Models.Values)
        {
            var eight = PreparedBytes(model, Precision.Fp8Weights);
            var sixteen = PreparedBytes(model, Precision.Bf16);
            largest = Math.Max(largest, eight);
            var needs = $"prepared weights take {Names.Gib(eight)} in fp8, {Names.Gib(sixteen)} in bf16";
            yield return cache.RoomBytes >= sixteen ? HostCheck.Ok($"model {model.Shape.Id}", needs)
            : cache.RoomBytes >= eight
                ? HostCheck.Without(
                    $"model {model.Shape.Id}",
                    $"{needs}; {Names.Gib(cache.RoomBytes)} fit, so it runs in fp8 only",
                    "more host memory, or raise Worker:WeightCacheGigabytes"
                )
            : HostCheck.Lacks(
                $"model {model.Shape.Id}",
                $"{needs}; {Names.Gib(cache.RoomBytes)} fit",
                "more host memory or shared memory; Worker:HostMemoryGigabytes where the system shows less than there is"
            );
        }

        var room = disks.Of(options.WeightCacheDirectory);
        var size =
            $"{Names.Gib(room.FreeBytes)} free of {Names.Gib(room.TotalBytes)} for the weight cache in "
            + $"{options.WeightCacheDirectory}";
        yield return room.TotalBytes >= largest ? HostCheck.Ok("shared memory", size)
            : options.WeightFilesDirectory.Length > 0 && disks.BytesFor(options.WeightFilesDirectory) >= largest
                ? HostCheck.Without(
                    "shared memory",
                    $"{size}, the largest model here needs {Names.Gib(largest)}: its weights are kept in {options.WeightFilesDirectory}, "
                        + "written once at that disk's speed and page-locked from there",
                    $"mount -o remount,size={Math.Floor(Gibibytes.Of(largest)) + 2:0}G /dev/shm, or --shm-size for a container"
                )
            : HostCheck.Lacks(
                "shared memory",
                $"{size}, the largest model here needs {Names.Gib(largest)}",
                $"mount -o remount,size={Math.Floor(Gibibytes.Of(largest)) + 2:0}G /dev/shm, or --shm-size for a container"
            );
    }

    private static HostCheck OnCpu(InstalledModel model, Slot slot)
    {
        var plan = Planner.Plan(PlanRequest.DefaultOf(model.Shape), SlotState.Cpu(slot.Description.TotalBytes));
        return plan.Plan is { } fits
            ? HostCheck.Ok(
                $"model {model.Shape.Id}",
                $"its default video takes {Names.Gib(fits.PredictedPeakBytes)} and about {Names.Seconds(fits.PredictedSeconds)} on this CPU"
            )
            : HostCheck.Without(
                $"model {model.Shape.Id}",
                plan.Refusal?.Message ?? "its default video does not fit this host's memory",
                "render smaller videos here, or use a card"
            );
    }

    private static long PreparedBytes(InstalledModel model, Precision precision) =>
        Planner
            .Plan(PlanRequest.DefaultOf(model.Shape) with { Pins = new PlanPins { Precision = precision } }, SlotState.Gpu(LargeCard))
            .Plan?.HostBytes
        ?? 0;
}
