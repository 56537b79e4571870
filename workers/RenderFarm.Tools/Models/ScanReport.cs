using System.Text.Json.Serialization;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Tools.Models;

/// <summary>A scan for programs.</summary>
internal sealed record ScanReport(
    IReadOnlyList<FoundCheckpoint> Checkpoints,
    IReadOnlyList<AssembledModel> Models,
    IReadOnlyList<UnusableFile> Unusable
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true
)]
[JsonSerializable(typeof(ScanReport))]
internal sealed partial class ScanJson : JsonSerializerContext;
