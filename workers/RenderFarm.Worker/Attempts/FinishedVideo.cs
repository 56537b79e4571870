using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Attempts;

/// <summary>Turns an attempt's folder into a spool entry: pictures cut, checksums taken, scratch removed, manifest last.</summary>
public static class FinishedVideo
{
    public static async Task<AttemptOutcome.Rendered> CollectAsync(
        string video,
        LeaseGrant grant,
        AttemptFolder folder,
        Measurements measured,
        string logTail,
        string? warning,
        string ffmpeg,
        TimeProvider time,
        Action<string> complain,
        CancellationToken lost
    )
    {
        List<(ArtifactKind Kind, string Path)> outputs = [(ArtifactKind.Video, video)];
        outputs.AddRange(await VideoPictures.CutAsync(ffmpeg, grant.Spec, video, time, complain, lost));

        List<SpoolFile> files = [];
        foreach ((var kind, var path) in outputs)
        {
            files.Add(new SpoolFile(kind, Path.GetFileName(path), new FileInfo(path).Length, await FileChecksum.Sha256Async(path, lost)));
        }

        Directory.Delete(folder.Work, recursive: true);
        File.Delete(folder.FramePipe);
        var manifest = new SpoolManifest()
        {
            JobId = grant.JobId,
            Fence = grant.Fence,
            Model = grant.Spec.Model,
            Files = files,
            Measurements = measured,
            LogTail = logTail,
            Warning = warning,
        };
        await manifest.WriteAsync(folder.Path, lost);
        return new AttemptOutcome.Rendered(folder.Path, manifest);
    }
}
