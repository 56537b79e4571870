using System.Runtime.InteropServices;
using RenderFarm.Contracts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Renderer.Process;
using RenderFarm.Rendering;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Pipelines;
using TorchSharp;

namespace RenderFarm.Renderer.Protocol;

/// <summary>
/// <c>render</c>: one process, one job. 1 make standard output private and tie this life to the parent's; 2 load libtorch
/// and say <c>ready</c>; 3 wait for the order, getting ready for the one expected; 4 render it; 5 report how it ended, and exit.
/// </summary>
internal static class RenderVerb
{
    public static int Run(string device)
    {
        // 1
        var reports = new ReportWriter(PrivateStdout.Take());
        ParentWatch.Start();
        ProcessFacts.VolunteerForOutOfMemory();

        Measurements? measured = null;
        RenderOrder? taken = null;
        try
        {
            // 2
            using var card = device == "cuda" ? CardContext.Watch() : null;
            LibTorchLoader.Load();
            torch.InitializeDeviceType(device == "cuda" ? DeviceType.CUDA : DeviceType.CPU);
            using (torch.zeros(1, device: device)) { }
            LibTorchLoader.RequireOne();
            if (device == "cuda")
            {
                // fp32 means fp32: cuDNN would round its inputs to ten bits by default
                torch.backends.cuda.matmul.allow_tf32 = false;
                torch.backends.cudnn.allow_tf32 = false;
            }
            foreach (var fault in ProcessorArithmetic.Verdict.Faults)
            {
                Console.Error.WriteLine($"arithmetic: {fault}");
            }

            var gauge = card?.Gauge();
            var startSeconds = ProcessFacts.SecondsSinceStart();
            var libTorch = LoadedLibTorch.Version ?? torch.__version__;
            reports.Write(new RendererReport.Ready(Environment.ProcessId, FarmVersion.Full, libTorch, device, startSeconds));

            // 3
            using var held = new HeldBlocks();
            using var input = OrderInput.Open();
            if (AheadOfOrder.Await(input, reports, held, device) is not { } order)
            {
                return ExitCodes.Done;
            }

            taken = order;
            using var cancel = new CancellationTokenSource();
            using var terminate = PosixSignalRegistration.Create(
                PosixSignal.SIGTERM,
                signal =>
                {
                    signal.Cancel = true;
                    cancel.Cancel();
                }
            );
            using var gone = input.Ended.Register(cancel.Cancel);
            if (order.Plan.Device != device)
            {
                throw new RenderException(
                    FailureReason.InvalidRequest,
                    $"the plan is for {order.Plan.Device}, this renderer runs on {device}"
                );
            }

            // 4
            var memory = gauge ?? new ResidentMemory();
            var meter = new StageMeter(memory);
            IRenderObserver observer = new ReportingObserver(reports);
            if (order.Spec.Debug?.DeviceMemoryBytes is { } ceiling)
            {
                observer = new MemoryCeiling(observer, memory, ceiling);
            }

            try
            {
                using var frames = new FramePipe(order.FramePipe, cancel.Token);
                using var pipeline = new VideoPipeline(order, observer, meter, cancel.Token, held: held);
                var result = pipeline.Render(frames);
                measured = Complete(meter, order, startSeconds);
                frames.Dispose();

                // 5
                reports.Write(new RendererReport.Finished(result.Frames, measured, result.Warning));
                return ExitCodes.Done;
            }
            catch
            {
                measured = Complete(meter, order, startSeconds);
                throw;
            }
        }
        catch (Exception e)
        {
            var failure = Failures.Classify(e, device);
            if (taken is not null)
            {
                Console.Error.WriteLine($"video {taken.JobId}, traceparent {taken.TraceParent ?? "none"}");
            }

            Console.Error.WriteLine(e);
            measured = (measured ?? new Measurements()) with { RequestedBytes = failure.RequestedBytes, FreeBytes = failure.FreeBytes };
            reports.Write(new RendererReport.Failed(failure.Reason, failure.Message, measured));
            return failure.Reason == FailureReason.Cancelled ? ExitCodes.Cancelled : ExitCodes.Failed;
        }
    }

    private static Measurements Complete(StageMeter meter, RenderOrder order, double startSeconds) =>
        meter.Measured() with
        {
            PredictedPeakBytes = order.Plan.PredictedPeakBytes,
            RendererProcessId = Environment.ProcessId,
            ProcessStartSeconds = startSeconds,
        };
}
