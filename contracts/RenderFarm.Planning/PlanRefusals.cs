using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>Words for a plan that can't be had.</summary>
internal static class PlanRefusals
{
    public static PlanRefusal DoesNotFit(PlanContext context, List<PlanDraft> tooLarge, List<PlanDraft> fitting, int stepDowns)
    {
        var request = context.Request;
        var what = $"{request.Shape.Id} at {request.Width}x{request.Height}, {request.Frames} frames";
        var (slot, budget) = (context.Slot, context.Slot.BudgetBytes);
        if (fitting.Count > 0)
        {
            return new(
                $"{what}: {Names.Count(stepDowns, "cheaper plan")} ran out of memory too; the leanest has a predicted peak of "
                    + $"{Names.Gib(fitting[^1].PeakBytes)} and there is none below it. Choose a smaller size or fewer frames.",
                fitting[^1].PeakBytes
            );
        }

        if (tooLarge.Count == 0)
        {
            return HostMemory(context, what);
        }

        var least = tooLarge[^1];
        var pins = Names.Pinned(request.Pins);
        var remedy =
            pins.Length > 0
                ? $"Leave out the pin on {pins}, or choose a smaller size or fewer frames."
                : "Choose a smaller size or fewer frames, or a slot with more memory.";
        return new(
            $"{what} needs at least {Names.Gib(least.PeakBytes)} "
                + $"({StageName(least.Highest)}){(pins.Length > 0 ? " with these pins" : "")}; "
                + $"{Names.Gib(budget)} can be used ({Names.Gib(slot.FreeBytes)} free of {Names.Gib(slot.TotalBytes)}, "
                + $"{Names.Gib(slot.ReserveBytes)} kept in reserve). {remedy}",
            least.PeakBytes,
            pins.Length > 0 ? "plan" : null
        );
    }

    private static PlanRefusal HostMemory(PlanContext context, string what)
    {
        var leanest = context.Classes.SelectMany(one => one.Precisions).MinBy(context.HostBytesNeeded);
        return new(
            $"{what} keeps {Names.Gib(context.HostBytesNeeded(leanest))} of prepared weights in host memory even in "
                + $"{Word.Of(leanest)}; {Names.Gib(context.Slot.HostBytes ?? 0)} are there. Add host memory, or choose a smaller model"
                + (context.Request.Quality == Quality.Exact ? ", or another quality than exact." : ".")
        );
    }

    private static string StageName(RenderStage stage) =>
        stage switch
        {
            RenderStage.Decoding => "while decoding",
            RenderStage.EncodingText => "while encoding the text",
            RenderStage.EncodingImage => "while encoding the picture",
            _ => "while denoising",
        };
}
