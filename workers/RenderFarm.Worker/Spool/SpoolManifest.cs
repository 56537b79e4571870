using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Worker.Spool;

/// <summary>What is to be uploaded, and what the API is told afterwards. Written last, so an entry that has one is whole.</summary>
internal sealed record SpoolManifest
{
    public const string FileName = "manifest.json";
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public required string JobId { get; init; }
    public required long Fence { get; init; }
    public required LeaseToken Token { get; init; }

    [JsonIgnore]
    public LeaseId Lease => new(JobId, Fence, Token);
    public required string Model { get; init; }

    /// <summary>The attempt that made the video (W3C traceparent); null in entries of older workers.</summary>
    public string? TraceParent { get; init; }
    public required IReadOnlyList<SpoolFile> Files { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }
    public string? Warning { get; init; }

    public static async Task<SpoolManifest> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        var text = await File.ReadAllBytesAsync(Path.Combine(folder, FileName), cancellationToken);
        return JsonSerializer.Deserialize<SpoolManifest>(text, Json) ?? throw new JsonException("the manifest holds null");
    }

    /// <summary>When the entry was made.</summary>
    public static DateTimeOffset WrittenAt(string folder) => File.GetLastWriteTimeUtc(Path.Combine(folder, FileName));

    public async Task WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, FileName);
        var file = File.Create(path + ".tmp");
        await using (file)
        {
            await JsonSerializer.SerializeAsync(file, this, Json, cancellationToken);
            file.Flush(flushToDisk: true);
        }

        DurableFile.Publish(path + ".tmp", path);
    }
}

/// <param name="Name">In the entry's folder.</param>
internal sealed record SpoolFile(ArtifactKind Kind, string Name, long SizeBytes, string Sha256);
