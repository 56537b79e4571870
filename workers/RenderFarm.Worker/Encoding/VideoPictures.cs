using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Worker.Children;

namespace RenderFarm.Worker.Encoding;

/// <summary>Thumbnail and spritesheet, cut from the finished video. A video without pictures is still a good video.</summary>
internal static class VideoPictures
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <returns>The pictures that could be made; <paramref name="complain"/> hears why the others could not.</returns>
    public static async Task<IReadOnlyList<(ArtifactKind Kind, string Path)>> CutAsync(
        string ffmpeg,
        RenderSpec spec,
        string video,
        TimeProvider time,
        Action<string> complain,
        CancellationToken cancellationToken
    )
    {
        var folder = Path.GetDirectoryName(video)!;
        (ArtifactKind Kind, string Path)?[] made = await Task.WhenAll(
            CutOneAsync(ArtifactKind.Thumbnail, EncoderArguments.Thumbnail),
            CutOneAsync(ArtifactKind.Spritesheet, EncoderArguments.Spritesheet)
        );
        return [.. made.OfType<(ArtifactKind, string)>()];

        async Task<(ArtifactKind, string)?> CutOneAsync(
            ArtifactKind kind,
            Func<RenderSpec, string, string, IReadOnlyList<string>> arguments
        )
        {
            var picture = Path.Combine(folder, Word.Of(kind) + ".webp");
            using var child = ChildProcess.Start(ffmpeg, arguments(spec, video, picture), ChildEnvironment.Base(), folder);
            try
            {
                var code = await child.Exited.WaitAsync(Patience, time, cancellationToken);
                if (code == 0 && File.Exists(picture))
                {
                    return (kind, picture);
                }

                complain($"no {kind} was made: {FfmpegFault.Of(code, child.Errors).Message}");
            }
            catch (TimeoutException)
            {
                complain($"no {kind} was made: ffmpeg took more than {Patience.TotalSeconds:0} s");
            }

            return null;
        }
    }
}
