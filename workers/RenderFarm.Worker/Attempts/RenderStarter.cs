using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Plans;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Attempts;

/// <summary>Starts the children of an attempt: the encoder first, so that a renderer never waits for its reader.</summary>
internal sealed class RenderStarter(IOptions<WorkerOptions> options, RendererLauncher launcher, TimeProvider time)
{
    /// <exception cref="FileNotFoundException">There is no ffmpeg, or no renderer.</exception>
    /// <exception cref="IOException">The folder's disk is full.</exception>
    public RenderChildren Start(AttemptContext attempt, RenderPlan plan)
    {
        var spec = attempt.Grant.Spec;
        var killsBefore = HostMemory.OutOfMemoryKills;
        FramePipe? pipe = null;
        VideoEncoder? encoder = null;
        try
        {
            pipe = FramePipe.Create(attempt.Folder.FramePipe);
            encoder = VideoEncoder.Start(options.Value.FfmpegPath, attempt.Folder.Path, spec, plan, pipe);
            var renderer = launcher.Take(attempt.Slot, spec.Debug);
            return new RenderChildren(pipe, encoder, renderer, TimeSpan.FromSeconds(options.Value.SilenceSeconds), killsBefore, time);
        }
        catch
        {
            encoder?.Dispose();
            pipe?.Dispose();
            throw;
        }
    }
}
