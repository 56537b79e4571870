using System.Text.Json.Serialization;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;

namespace RenderFarm.Jobs.Results;

/// <summary>What is written down beside a result: request, key and artifacts.</summary>
internal sealed record ResultManifest
{
    public const int CurrentFormat = 1;
    public required int Format { get; init; }

    /// <summary>With the id of the key that asked.</summary>
    public required NewJob Request { get; init; }
    public required DateTimeOffset SubmittedAt { get; init; }
    public required DateTimeOffset FinishedAt { get; init; }
    public required IReadOnlyList<Artifact> Artifacts { get; init; }
    public string? Warning { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ResultManifest))]
internal sealed partial class ResultsJson : JsonSerializerContext;
