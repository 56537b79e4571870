using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Tracing;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The render of an attempt, from a plan to an outcome: 1 inputs, 2 encoder and renderer, 3 order and reports, 4 the end
/// of both, 5 the verdict, 6 pictures and manifest.
/// </summary>
internal sealed class RenderAttempt(
    InputDownloads inputs,
    RenderStarter starter,
    HostWeightCache cache,
    FinishedVideo finished,
    ExpectedOrders expected,
    WorkerMetrics metrics,
    ILogger<RenderAttempt> log
)
{
    public async Task<AttemptOutcome> RunAsync(AttemptContext attempt, RenderPlan plan)
    {
        try
        {
            // 1
            var inputFiles = await inputs.FetchAsync(attempt);

            // 2
            attempt.Record.Spans.Starting();
            using var children = starter.Start(attempt, plan);
            await using var killer = attempt.Stop.Register(children.Kill);
            log.RendererStarted(children.Renderer.Id, plan.PredictedSeconds);
            var model = attempt.Grant.Spec.Model;
            attempt.Record.Start =
                children.WasLoadedFor(model) ? RenderStart.Standby
                : cache.Models.Contains(model) ? RenderStart.Warm
                : RenderStart.Cold;
            attempt.Record.StreamedBytesPerStep = plan.StreamedBytesPerStep;

            // 3
            var order = OrderOf(attempt, plan, inputFiles);
            if (order.WeightCache is not null)
            {
                metrics.WeightsLookedFor(model, attempt.Record.Start != RenderStart.Cold);
            }

            var listening = children.Conversation.ListenAsync(report =>
            {
                if (attempt.Record.Take(report) is { } progress)
                {
                    attempt.Lease.Report(progress.Stage, progress.Step, progress.Steps);
                }

                if (report is RendererReport.Finished)
                {
                    children.EndVideo();
                }
            });
            await children.Conversation.OrderAsync(order);

            // 4
            var (ending, encoded) = await children.EndAsync(listening, attempt.Record);
            attempt.Record.Spans.Leave();

            // 5
            var logTail = children.LogTail;
            var measured = attempt.Record.Measured(attempt.Slot.Description.Card) with { PredictedPeakBytes = plan.PredictedPeakBytes };
            var failure = AttemptVerdict.Of(
                ending,
                attempt.Record,
                encoded,
                attempt.Grant.Spec.Frames,
                children.WasOutOfMemory,
                children.Renderer.Errors.LastLine
            );
            if (attempt.Unwanted(measured, logTail) is { } unwanted)
            {
                return unwanted;
            }

            if (attempt.CardLost(failure is not null, measured, logTail) is { } lost)
            {
                return lost;
            }

            if (failure?.Reason is (FailureReason.GpuOutOfMemory or FailureReason.HostOutOfMemory) and { } reason)
            {
                metrics.OutOfMemory(model, plan.Precision, reason);
            }

            if (failure is not null)
            {
                return attempt.HandBack.IsCancellationRequested
                    ? new AttemptOutcome.HandedBack(ReleaseReason.Interrupted)
                    : failure with
                    {
                        Measurements = measured,
                        LogTail = logTail,
                    };
            }

            // 6
            expected.Rendered(attempt.Slot.Id, order);
            if (measured.PeakBytes is { } peak)
            {
                metrics.Peaked(attempt.Slot, model, peak);
            }

            using var collecting = WorkerSpans.Part("collect");
            return await finished.CollectAsync(attempt, children.Publish(), measured, logTail);
        }
        catch (OperationCanceledException) when (attempt.Stop.IsCancellationRequested)
        {
            return attempt.Interrupted();
        }
        finally
        {
            attempt.Record.Spans.Leave();
        }
    }

    private RenderOrder OrderOf(AttemptContext attempt, RenderPlan plan, IReadOnlyDictionary<string, string> inputFiles) =>
        new()
        {
            JobId = attempt.Grant.JobId,
            Fence = attempt.Grant.Fence,
            Spec = attempt.Grant.Spec,
            Plan = plan,
            Shape = attempt.Model.Shape,
            TraceParent = attempt.Grant.TraceParent,
            Files = attempt.Model.Files,
            FramePipe = attempt.Folder.FramePipe,
            WorkDirectory = attempt.Folder.Work,
            InputFiles = inputFiles,
            WeightCache = cache.FolderOf(attempt.Model.Shape.Id, plan),
            WeightCacheLimitBytes = cache.LimitBytes,
        };
}
