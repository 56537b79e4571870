using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Models;

/// <summary>A model that a worker has on disk.</summary>
/// <param name="Fingerprints">Component name to a digest of its header: equal digests mean equal files.</param>
public sealed record ModelRegistration(string Id, ModelShape Shape, IReadOnlyDictionary<string, string> Fingerprints)
{
    /// <summary>Something to tell users of this model, such as that its weights are random.</summary>
    public string? Note { get; init; }

    /// <summary>What the blocks of its file are stored in.</summary>
    public WeightStorage StoredIn { get; init; }

    /// <summary>Names of the LoRAs that lie beside it.</summary>
    public IReadOnlyList<string> Loras { get; set; } = [];

    /// <summary>Everything that it is made of on this host, there or not; workers from before this was told say nothing.</summary>
    public IReadOnlyList<ModelFile> Files { get; set; } = [];
}

/// <summary>A file of a model as a host has it.</summary>
/// <param name="Component">What it is for: <c>transformer</c>, <c>vae</c>, …</param>
/// <param name="Name">Without the folders of the host.</param>
/// <param name="SizeBytes">Null where it is missing.</param>
public sealed record ModelFile(string Component, string Name, long? SizeBytes, ModelFileState State);

[JsonConverter(typeof(WordConverter<ModelFileState>))]
public enum ModelFileState
{
    [JsonStringEnumMemberName("there")]
    There,

    [JsonStringEnumMemberName("missing")]
    Missing,

    /// <summary>Truncated, unreadable, or no checkpoint at all.</summary>
    [JsonStringEnumMemberName("damaged")]
    Damaged,
}
