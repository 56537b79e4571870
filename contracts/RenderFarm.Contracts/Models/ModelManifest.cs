namespace RenderFarm.Contracts.Models;

/// <summary>
/// <c>model.json</c> in a model's folder (<c>models/{id}/model.json</c>): what the model is and which files make it.
/// Paths are relative to the folder, or absolute.
/// </summary>
public sealed record ModelManifest
{
    public const string FileName = "model.json";
    public required ModelShape Shape { get; init; }
    public required ModelFiles Files { get; init; }

    /// <summary>Something to tell users of this model, such as that its weights are random.</summary>
    public string? Note { get; init; }
}
