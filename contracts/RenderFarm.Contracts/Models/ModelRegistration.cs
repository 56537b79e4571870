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
}
