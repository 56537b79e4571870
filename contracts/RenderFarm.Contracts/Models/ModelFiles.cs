namespace RenderFarm.Contracts.Models;

/// <summary>Paths of a model's components on this host.</summary>
public sealed record ModelFiles
{
    /// <summary>One DiT, in one or more shards.</summary>
    public required IReadOnlyList<string> Transformer { get; init; }

    /// <summary>The low-noise expert of an A14B model; then <see cref="Transformer"/> is the high-noise one.</summary>
    public IReadOnlyList<string> TransformerLowNoise { get; set; } = [];
    public required IReadOnlyList<string> TextEncoder { get; init; }

    /// <summary>SentencePiece model.</summary>
    public required string Tokenizer { get; init; }
    public required IReadOnlyList<string> Vae { get; init; }
    public IReadOnlyList<string> ImageEncoder { get; set; } = [];

    /// <summary>LoRA files by name; of an A14B model, those for the high-noise expert.</summary>
    public IReadOnlyDictionary<string, string> Loras { get; set; } = new Dictionary<string, string>();

    /// <summary>LoRA files for the low-noise expert. One name may be in both, or in one only.</summary>
    public IReadOnlyDictionary<string, string> LorasLowNoise { get; set; } = new Dictionary<string, string>();

    /// <summary>These files as full paths, where relative ones lie in <paramref name="folder"/>.</summary>
    public ModelFiles In(string folder)
    {
        return new ModelFiles
        {
            Transformer = All(Transformer),
            TransformerLowNoise = All(TransformerLowNoise),
            TextEncoder = All(TextEncoder),
            Tokenizer = One(Tokenizer),
            Vae = All(Vae),
            ImageEncoder = All(ImageEncoder),
            Loras = Named(Loras),
            LorasLowNoise = Named(LorasLowNoise),
        };

        string One(string path) => Path.GetFullPath(Path.Combine(folder, path));
        string[] All(IReadOnlyList<string> paths) => [.. paths.Select(One)];
        Dictionary<string, string> Named(IReadOnlyDictionary<string, string> paths) =>
            paths.ToDictionary(pair => pair.Key, pair => One(pair.Value));
    }
}
