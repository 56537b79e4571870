using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Protocol;

/// <summary>Between <c>ready</c> and the order of a job, a renderer that stands by gets ready for what it is told to expect.</summary>
internal static class AheadOfOrder
{
    /// <summary>Waits for the order of a job; rehearses those that are ahead of theirs until it is there.</summary>
    /// <param name="held">Gets the weights of what was expected, and lets go of those that the job does not need.</param>
    /// <returns>Null when the input ended before an order.</returns>
    public static RenderOrder? Await(OrderInput orders, ReportWriter reports, HeldBlocks held, string device)
    {
        while (true)
        {
            var order = orders.Next();
            if (order is not { Ahead: true })
            {
                held.LetGoBeside(order?.WeightCache);
                return order;
            }

            held.LetGoBeside(order.WeightCache);
            if (Rehearse(order, held, device, orders.More) is { } loaded)
            {
                reports.Write(loaded);
            }
        }
    }

    /// <returns>Null where something to read came first.</returns>
    private static RendererReport.Loaded? Rehearse(RenderOrder order, HeldBlocks held, string device, CancellationToken more)
    {
        try
        {
            Rehearsal.Run(order, held, more);
            return new RendererReport.Loaded();
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (Exception e) when (Failures.Classify(e, device) is { Reason: not FailureReason.RendererCrashed } known)
        {
            Console.Error.WriteLine($"ahead of an order: {known.Message}");
            return new RendererReport.Loaded(known.Message);
        }
    }
}
