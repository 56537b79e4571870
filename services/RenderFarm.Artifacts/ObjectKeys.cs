using System.Diagnostics.CodeAnalysis;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts;

/// <summary>
/// Every object key of the farm. Outputs carry the fence of the lease that made them and a digest of its token, so a late worker
/// writes beside the winner, never over it, even where the database was taken back and gave their fence twice.
/// </summary>
public static class ObjectKeys
{
    public const string Videos = "videos/";
    public const string Inputs = "inputs/";
    private const string ManifestName = "manifest.json";
    private const int CheckpointDigits = 16;

    /// <summary>Everything that leases of a job stored: <c>videos/{job}/</c>.</summary>
    public static string OutputsOf(string jobId) => $"{Videos}{Segment(jobId)}/";

    /// <summary>Everything one lease stored: <c>videos/{job}/{fence}-{digest}/</c>.</summary>
    public static string Of(LeaseName lease) => $"{OutputsOf(lease.JobId)}{lease.InJob}/";

    public static string For(ArtifactKind kind, LeaseName lease) => Of(lease) + FileName(kind);

    /// <summary>What is uploaded under a lease. A checkpoint is named by its content: a later one is beside it, never over it.</summary>
    /// <param name="sha256">Lower-case hex.</param>
    public static string For(UploadKind kind, LeaseName lease, string sha256)
    {
        ArgumentNullException.ThrowIfNull(sha256);
        return Of(lease) + (kind == UploadKind.Checkpoint ? $"checkpoint-{sha256[..CheckpointDigits]}" : FileName(ArtifactOf(kind)));
    }

    /// <summary>What the API writes down of a result beside it, before the job's row says that there is one.</summary>
    public static string Manifest(LeaseName lease) => Of(lease) + ManifestName;

    /// <summary>Whose result a manifest describes; false for any other key.</summary>
    public static bool TryParseManifest(string key, out LeaseName lease)
    {
        ArgumentNullException.ThrowIfNull(key);
        return TryParseLease(key, out lease) && key == Manifest(lease);
    }

    public static string FileName(ArtifactKind kind) =>
        kind switch
        {
            ArtifactKind.Video => "video.mp4",
            ArtifactKind.Thumbnail => "thumbnail.webp",
            ArtifactKind.Spritesheet => "spritesheet.webp",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no file name for this kind of artifact"),
        };

    /// <summary>Everything that came in with a job: <c>inputs/{job}/</c>.</summary>
    public static string InputsOf(string jobId) => $"{Inputs}{Segment(jobId)}/";

    /// <param name="role"><c>input_reference</c> or <c>last_frame</c>.</param>
    public static string Input(string jobId, string role) => InputsOf(jobId) + Segment(role);

    /// <summary>The lease that stored an output; false for anything that is not under <c>videos/</c>.</summary>
    public static bool TryParseLease(string key, out LeaseName lease)
    {
        var parts = key.Split('/');
        if (parts.Length == 4 && parts[0] + "/" == Videos && parts[1].Length > 0)
        {
            return LeaseName.TryParse(parts[1], parts[2], out lease);
        }

        lease = default;
        return false;
    }

    /// <summary>The job that an input came in with; false for anything that is not under <c>inputs/</c>.</summary>
    public static bool TryParseInput(string key, [NotNullWhen(true)] out string? jobId)
    {
        var parts = key.Split('/');
        jobId = parts.Length == 3 && parts[0] + "/" == Inputs && parts[1].Length > 0 ? parts[1] : null;
        return jobId is not null;
    }

    /// <summary>Throws unless <paramref name="key"/> is a plain relative path that every store can hold.</summary>
    public static string Checked(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        foreach (var segment in key.Split('/'))
        {
            _ = Segment(segment);
        }

        return key;
    }

    private static ArtifactKind ArtifactOf(UploadKind kind) => Enum.GetValues<ArtifactKind>().Single(one => UploadKinds.Of(one) == kind);

    private static string Segment(string segment)
    {
        var plain =
            segment.Length is > 0 and <= 200
            && segment[0] != '.'
            && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return plain
            ? segment
            : throw new ArgumentException(
                $"'{segment}' can't be part of an object key: letters, digits, '-', '_' and '.' only, not starting with '.'"
            );
    }
}
