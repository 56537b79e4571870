using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// One attempt, from a confirmed lease to an outcome: 1 inputs, 2 encoder and renderer, 3 order and reports, 4 the end
/// of both, 5 the verdict, 6 pictures and manifest. Renderer and encoder never outlive each other's failure: whichever
/// ends first out of turn, the other is killed.
/// </summary>
public sealed class RenderAttempt(
    IOptions<WorkerOptions> options,
    RendererLauncher launcher,
    InputDownloads inputs,
    HostWeightCache cache,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<RenderAttempt> log
)
{
    private static readonly TimeSpan EndOfReports = TimeSpan.FromSeconds(5);

    /// <param name="handBack">This worker stops: give the job back, unless it is finished anyway.</param>
    public async Task<AttemptOutcome> RunAsync(
        Slot slot,
        LeaseGrant grant,
        InstalledModel model,
        RenderPlan plan,
        AttemptFolder folder,
        LeaseKeeper lease,
        AttemptRecord record,
        CancellationToken handBack
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, lease.Cancelled, handBack);
        try
        {
            // 1
            var inputFiles = await inputs.FetchAsync(grant.Inputs, folder.Work, stop.Token);

            // 2
            var killsBefore = HostMemory.OutOfMemoryKills;
            using var pipe = FramePipe.Create(folder.FramePipe);
            using var encoder = VideoEncoder.Start(options.Value.FfmpegPath, folder.Path, grant.Spec, plan, pipe);
            using var process = launcher.Take(slot, grant.Spec.Debug);
            var renderer = process.Child;
            using var killer = stop.Token.Register(() =>
            {
                renderer.KillGroup();
                encoder.Kill();
            });
            log.LogInformation("Renderer {Process} started for {Seconds:0.0} s predicted", renderer.Id, plan.PredictedSeconds);

            // 3
            var conversation = new RendererConversation(renderer, time);
            var listening = conversation.ListenAsync(report =>
            {
                if (record.Take(report) is { } progress)
                {
                    lease.Report(progress.Stage, progress.Step, progress.Steps);
                }
            });
            await conversation.OrderAsync(Order(grant, model, plan, folder, inputFiles));

            // 4
            var ending = await WatchAsync(process, encoder, conversation, listening);
            pipe.LetGo();
            var encoded = await EncoderEndAsync(encoder, record.Finished is not null && ending.Code == 0);

            // 5
            var logTail = LogTail(renderer, encoder, conversation);
            var measured = record.Measured(slot.Description.Card) with { PredictedPeakBytes = plan.PredictedPeakBytes };
            var failure = AttemptVerdict.Of(
                ending,
                record,
                encoded,
                grant.Spec.Frames,
                process.WasOutOfMemory || HostMemory.OutOfMemoryKills > killsBefore,
                renderer.Errors.LastLine
            );
            if (lease.Lost.IsCancellationRequested)
            {
                return new AttemptOutcome.LeaseLost();
            }

            if (lease.Cancelled.IsCancellationRequested)
            {
                return Cancelled(measured, logTail);
            }

            if (failure is not null && handBack.IsCancellationRequested)
            {
                return new AttemptOutcome.HandedBack("interrupted");
            }

            if (failure is not null)
            {
                return failure with { Measurements = measured, LogTail = logTail };
            }

            // 6
            if (measured.PeakBytes is { } peak)
            {
                metrics.Peaked(slot, grant.Spec.Model, peak);
            }

            return await FinishedVideo.CollectAsync(
                encoder.Publish(),
                grant,
                folder,
                measured,
                logTail,
                record.Finished!.Warning,
                options.Value.FfmpegPath,
                time,
                complaint => log.LogWarning("{Complaint}", complaint),
                lease.Lost
            );
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (lease.Lost.IsCancellationRequested)
            {
                return new AttemptOutcome.LeaseLost();
            }

            return lease.Cancelled.IsCancellationRequested ? Cancelled(null, null) : new AttemptOutcome.HandedBack("interrupted");
        }
    }

    private async Task<RendererEnding> WatchAsync(
        RendererProcess process,
        VideoEncoder encoder,
        RendererConversation conversation,
        Task listening
    )
    {
        var patience = TimeSpan.FromSeconds(options.Value.SilenceSeconds);
        var renderer = process.Child;
        var silent = false;
        var encoderFirst = false;
        long? tooMuch = null;
        while (!renderer.Exited.IsCompleted)
        {
            using var tick = new CancellationTokenSource();
            await Task.WhenAny(
                renderer.Exited,
                encoder.Ended,
                Task.Delay(TimeSpan.FromSeconds(Math.Min(1, patience.TotalSeconds / 4)), time, tick.Token)
            );
            await tick.CancelAsync();
            if (renderer.Exited.IsCompleted)
            {
                break;
            }

            encoderFirst = encoder.Ended.IsCompleted;
            silent = !encoderFirst && conversation.Silence > patience;
            if (process.HostBytes is var bytes && bytes > process.LimitBytes)
            {
                tooMuch = bytes;
            }

            if (!encoderFirst && !silent && tooMuch is null)
            {
                continue;
            }

            renderer.KillGroup();
            await renderer.Exited;
        }

        var code = await renderer.Exited;
        renderer.KillGroup(); // Whatever it started and left behind would hold its output open
        await Task.WhenAny(listening, Task.Delay(EndOfReports, time));
        return new RendererEnding(code, silent, encoderFirst, patience) { HostBytes = tooMuch, LimitBytes = process.LimitBytes };
    }

    /// <summary>After a good render the encoder still has to write the index; after a bad one it has nothing left to do.</summary>
    private async Task<EncoderEnding> EncoderEndAsync(VideoEncoder encoder, bool rendered)
    {
        if (!rendered)
        {
            encoder.Kill();
        }

        while (true)
        {
            var before = encoder.Frames;
            try
            {
                return await encoder.Ended.WaitAsync(TimeSpan.FromSeconds(options.Value.SilenceSeconds), time);
            }
            catch (TimeoutException) when (encoder.Frames > before)
            {
                // Slow, not stuck
            }
            catch (TimeoutException)
            {
                encoder.Kill();
            }
        }
    }

    private RenderOrder Order(
        LeaseGrant grant,
        InstalledModel model,
        RenderPlan plan,
        AttemptFolder folder,
        IReadOnlyDictionary<string, string> inputFiles
    ) =>
        new()
        {
            JobId = grant.JobId,
            Fence = grant.Fence,
            Spec = grant.Spec,
            Plan = plan,
            Shape = model.Shape,
            Files = model.Files,
            FramePipe = folder.FramePipe,
            WorkDirectory = folder.Work,
            InputFiles = inputFiles,
            WeightCache = cache.FolderOf(model.Shape.Id, plan),
            WeightCacheLimitBytes = cache.LimitBytes,
        };

    private static AttemptOutcome.Failed Cancelled(Measurements? measured, string? logTail) =>
        new(FailureReason.Cancelled, "the job was cancelled", measured, logTail);

    private static string LogTail(ChildProcess renderer, VideoEncoder encoder, RendererConversation conversation)
    {
        var tail = renderer.Errors.Text;
        if (conversation.Gibberish is { } line)
        {
            tail += $"\n[on standard output] {line}";
        }

        if (encoder.LogTail.Length > 0)
        {
            tail += "\n[ffmpeg]\n" + encoder.LogTail;
        }

        return tail.Trim();
    }
}
