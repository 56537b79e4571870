using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Rendering;

/// <summary>
/// The one line a worker writes to a renderer's standard input. The renderer answers with <see cref="RendererReport"/>
/// lines on standard output and raw rgb24 frames into <see cref="FramePipe"/>, then exits. End of input before the
/// order means: no work, exit.
/// </summary>
public sealed record RenderOrder
{
    public required string JobId { get; init; }
    public required long Fence { get; init; }
    public required RenderSpec Spec { get; init; }
    public required RenderPlan Plan { get; init; }
    public required ModelShape Shape { get; init; }
    public required ModelFiles Files { get; init; }

    /// <summary>A FIFO; the renderer opens it when the first frame is ready and closes it after the last.</summary>
    public required string FramePipe { get; init; }

    /// <summary>Where the renderer may write (thumbnail frame, input pictures); removed after the attempt.</summary>
    public required string WorkDirectory { get; init; }

    /// <summary>Pictures by their role, see <see cref="InputRoles"/>: JPEG, PNG, WebP, GIF or BMP of any size and orientation.</summary>
    public IReadOnlyDictionary<string, string> InputFiles { get; set; } = new Dictionary<string, string>();

    /// <summary>Folder of this model's prepared weights (<see cref="WeightCacheFiles"/>); null when the host keeps none.</summary>
    public string? WeightCache { get; init; }

    /// <summary>
    /// What the folders of all models beside each other may take; the least recently used weights give way. Null: as much as
    /// the file system holds.
    /// </summary>
    public long? WeightCacheLimitBytes { get; init; }
}

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
