using Microsoft.Extensions.Options;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;

namespace RenderFarm.Worker.Hosting;

/// <summary>Better no worker than one whose every job fails at its last step.</summary>
internal sealed class FfmpegCheck(IOptions<WorkerOptions> options, TimeProvider time, ILogger<FfmpegCheck> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <exception cref="WorkerSettingException">ffmpeg is missing, does not run or can't write H.264.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var program = options.Value.FfmpegPath;
        if (ProgramPath.Find(program) is null)
        {
            throw new WorkerSettingException($"Worker:FfmpegPath: {FfmpegFault.Missing(program).Message}");
        }

        using var child = ChildProcess.Start(
            program,
            ["-hide_banner", "-nostdin", "-encoders"],
            ChildEnvironment.Base(),
            Path.GetTempPath()
        );
        var reading = child.Output.ReadToEndAsync(cancellationToken);
        var code = await child.Exited.WaitAsync(Patience, time, cancellationToken);
        var encoders = await reading;
        if (code != 0)
        {
            throw new WorkerSettingException(
                $"Worker:FfmpegPath: '{program}' does not run ({FfmpegFault.Of(code, child.Errors).Message}): {FfmpegFault.Remedy}"
            );
        }

        if (!encoders.Contains("libx264", StringComparison.Ordinal))
        {
            throw new WorkerSettingException($"Worker:FfmpegPath: '{program}' was built without libx264: {FfmpegFault.Remedy}");
        }

        if (!encoders.Contains("libwebp", StringComparison.Ordinal))
        {
            log.NoThumbnails(program);
        }
    }
}
