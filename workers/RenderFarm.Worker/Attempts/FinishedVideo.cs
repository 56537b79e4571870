using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Attempts;

/// <summary>Turns an attempt's folder into a spool entry: pictures cut, checksums taken, scratch removed, manifest last.</summary>
internal sealed class FinishedVideo(IOptions<WorkerOptions> options, TimeProvider time, ILogger<FinishedVideo> log)
{
    public async Task<AttemptOutcome.Rendered> CollectAsync(AttemptContext attempt, string video, Measurements measured, string logTail)
    {
        var (grant, folder, lost) = (attempt.Grant, attempt.Folder, attempt.Lease.Lost);
        List<(ArtifactKind Kind, string Path)> outputs = [(ArtifactKind.Video, video)];
        outputs.AddRange(await VideoPictures.CutAsync(options.Value.FfmpegPath, grant.Spec, video, time, log.PictureMissing, lost));

        List<SpoolFile> files = [];
        foreach (var (kind, path) in outputs)
        {
            files.Add(new SpoolFile(kind, Path.GetFileName(path), new FileInfo(path).Length, await FileChecksum.Sha256Async(path, lost)));
        }

        Directory.Delete(folder.Work, recursive: true);
        File.Delete(folder.FramePipe);
        var manifest = new SpoolManifest
        {
            JobId = grant.JobId,
            Fence = grant.Fence,
            Token = grant.Token,
            Model = grant.Spec.Model,
            TraceParent = attempt.TraceParent,
            Files = files,
            Measurements = measured,
            LogTail = logTail,
            Warning = attempt.Record.Finished!.Warning,
        };
        await manifest.WriteAsync(folder.Path, lost);
        return new AttemptOutcome.Rendered(folder.Path, manifest);
    }
}
