using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Wan.Checkpoints;

[JsonConverter(typeof(WordConverter<CheckpointKind>))]
public enum CheckpointKind
{
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    [JsonStringEnumMemberName("transformer")]
    Transformer,

    [JsonStringEnumMemberName("text_encoder")]
    TextEncoder,

    [JsonStringEnumMemberName("vae")]
    Vae,

    [JsonStringEnumMemberName("image_encoder")]
    ImageEncoder,

    [JsonStringEnumMemberName("lora")]
    Lora,
}

/// <summary>What a checkpoint is, from its keys, types and shapes alone.</summary>
public sealed record CheckpointDescription
{
    public required string File { get; init; }
    public required CheckpointKind Kind { get; init; }

    /// <summary>In words: <c>Wan DiT, dim 1536, 30 layers</c>.</summary>
    public required string What { get; init; }

    /// <summary><c>original</c>, <c>diffusers</c>, <c>transformers</c> or <c>gguf</c>: whose names the keys are.</summary>
    public string? Layout { get; init; }

    /// <summary>Stripped from every key before looking: <c>model.diffusion_model.</c></summary>
    public string Prefix { get; init; } = "";

    /// <summary>Ids of the models that it can be a part of. Several where they can't be told apart by shape.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary><c>none</c>, or how its weights are quantised.</summary>
    public required string Quantization { get; init; }

    /// <summary>Stored type to the number of tensors.</summary>
    public required IReadOnlyDictionary<string, int> Types { get; init; }
    public required int Tensors { get; init; }
    public required long Parameters { get; init; }
    public required long Bytes { get; init; }

    /// <summary>On the average, of all that it stores.</summary>
    [JsonIgnore]
    public double BitsAWeight => Parameters == 0 ? 0 : 8.0 * Bytes / Parameters;

    /// <summary>Keys that a checkpoint of this kind has and this one has not; all of them.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Of a LoRA only.</summary>
    public AdapterDescription? Adapter { get; init; }

    /// <summary>Recognised, whole, and of a kind that the renderer loads.</summary>
    public bool Usable =>
        Kind != CheckpointKind.Unknown
        && Missing.Count == 0
        && Models.Count > 0
        && !Quantization.Contains("not supported", StringComparison.Ordinal);
}
