using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Chaos.Rendering;

/// <summary>
/// A renderer without a model: it speaks the pipe protocol, takes its time over every step, and writes real frames, so
/// that ffmpeg makes a real video of them. Frames depend on the job's seed only. It ends with its worker, like the real
/// one: standard input says so.
/// </summary>
internal static class StubRenderer
{
    private const int WorkerGone = 3;
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(100);

    /// <summary>In a prompt: every step takes five times as long.</summary>
    public const string Slowly = "slowly";

    /// <summary>In a prompt: every step takes fifty times as long.</summary>
    public const string AtASnailsPace = "at a snail's pace";

    public static async Task<int> RunAsync()
    {
        var input = Console.In;
        await using var output = Console.OpenStandardOutput();
        await SayAsync(output, new RendererReport.Ready(Environment.ProcessId, "stub", "none", "cpu", 0.05));
        if (await input.ReadLineAsync() is not { } line)
        {
            return 0;
        }

        var order = JsonSerializer.Deserialize(line, ContractsJson.Default.RenderOrder)!;
        _ = Task.Run(async () =>
        {
            while (await input.ReadLineAsync() is not null)
            {
                // Nothing more is said to a renderer; what counts is the end
            }
            Environment.Exit(WorkerGone);
        });

        var began = Stopwatch.GetTimestamp();
        var spec = order.Spec;
        var stepTime =
            spec.Prompt.EndsWith(AtASnailsPace, StringComparison.Ordinal) ? 50 * StepTime
            : spec.Prompt.EndsWith(Slowly, StringComparison.Ordinal) ? 5 * StepTime
            : StepTime;
        await SayAsync(output, new RendererReport.StageStarted(RenderStage.Denoising));
        for (var step = 1; step <= spec.Steps; step++)
        {
            await Task.Delay(stepTime, TimeProvider.System);
            await SayAsync(output, new RendererReport.StepDone(step, spec.Steps, stepTime.TotalSeconds));
        }
        await SayAsync(output, new RendererReport.StageStarted(RenderStage.Decoding));
        try
        {
            await WriteFramesAsync(order);
        }
        catch (IOException error)
        {
            await SayAsync(
                output,
                new RendererReport.Failed(FailureReason.EncoderFailed, $"the encoder stopped reading frames: {error.Message}")
            );
            return 1;
        }
        await SayAsync(
            output,
            new RendererReport.Finished(
                spec.Frames,
                new Measurements
                {
                    StepSeconds = stepTime.TotalSeconds,
                    DenoiseSeconds = Stopwatch.GetElapsedTime(began).TotalSeconds,
                    PeakBytes = Environment.WorkingSet,
                    RendererProcessId = Environment.ProcessId,
                }
            )
        );
        return 0;
    }

    private static async Task SayAsync(Stream output, RendererReport report)
    {
        var line = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(line))
        {
            JsonSerializer.Serialize(json, report, ContractsJson.Default.RendererReport);
        }

        line.Write("\n"u8);
        await output.WriteAsync(line.WrittenMemory);
        await output.FlushAsync();
    }

    /// <summary>A square that wanders over a background, both coloured by the seed.</summary>
    private static async Task WriteFramesAsync(RenderOrder order)
    {
        var (width, height) = (order.Spec.Width, order.Spec.Height);
        await using var pipe = new FileStream(order.FramePipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        var frame = new byte[width * height * 3];
        for (var n = 0; n < order.Spec.Frames; n++)
        {
            var (left, top) = ((int)((order.Spec.Seed + (n * 5)) % (width - 16)), (int)((order.Spec.Seed / 7 + (n * 3)) % (height - 16)));
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    var inside = x >= left && x < left + 16 && y >= top && y < top + 16;
                    var at = ((y * width) + x) * 3;
                    frame[at] = (byte)(inside ? 255 : order.Spec.Seed % 200);
                    frame[at + 1] = (byte)(inside ? order.Spec.Seed % 256 : x);
                    frame[at + 2] = (byte)(inside ? n * 20 : y);
                }
            }

            await pipe.WriteAsync(frame);
        }
    }
}
