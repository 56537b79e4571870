using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Wan.Checkpoints.Scanning;

/// <summary>A model that the files in a folder make, or would make.</summary>
/// <param name="Files">Full paths; null while something is missing.</param>
/// <param name="TokenizerInside">The tokenizer has to be taken out of a checkpoint first.</param>
/// <param name="Missing">What it still needs, in words.</param>
/// <param name="Notes">Choices that were made, and what else was found.</param>
public sealed record AssembledModel(
    ModelShape Shape,
    ModelFiles? Files,
    FoundTokenizer? TokenizerInside,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Notes
);

/// <summary>
/// Puts found files together to models: every DiT with the text encoder, VAE, image encoder and tokenizer of its sizes. Of
/// several that fit, the one with the most precise weights, then the one that lies nearest to the DiT.
/// </summary>
public static class ModelAssembly
{
    /// <summary>Models with a DiT in the scan; complete ones first.</summary>
    public static IReadOnlyList<AssembledModel> Of(FolderScan scan) =>
        [
            .. ModelShapes
                .All.Select(shape => new Builder(scan, shape).Build())
                .OfType<AssembledModel>()
                .OrderBy(model => model.Missing.Count > 0),
        ];

    private sealed class Builder(FolderScan scan, ModelShape shape)
    {
        private readonly List<string> _missing = [];
        private readonly List<string> _notes = [];

        public AssembledModel? Build()
        {
            var dits = Candidates(CheckpointKind.Transformer).Where(IsForThisModel).ToList();
            if (dits.Count == 0)
            {
                return null;
            }

            var high =
                shape.Experts == 2
                    ? Best(
                        dits.Where(dit => dit.Role == ExpertRole.HighNoise || (dit.Role == ExpertRole.Unknown && IsDiffusersFirst(dit))),
                        null
                    )
                    : Best(dits, null);
            var low = shape.Experts == 2 ? Best(dits.Where(dit => dit.Role == ExpertRole.LowNoise), high) : null;
            if (high is null && low is null)
            {
                return null; // Nothing says that a file is of two experts
            }

            if (high is null)
            {
                _missing.Add("the high-noise expert (a file or folder with high_noise in its name)");
            }

            if (shape.Experts == 2 && low is null)
            {
                _missing.Add("the low-noise expert (a file or folder with low_noise in its name)");
            }

            var dit = high ?? low!;
            var others = dits.Count(other => other != high && other != low);
            if (others > 0)
            {
                _notes.Add($"{others} more DiT{(others == 1 ? "" : "s")} of these sizes found; {Path.GetFileName(dit.Relative)} is taken");
            }

            var text = Need(
                CheckpointKind.TextEncoder,
                dit,
                "the text encoder (models_t5_umt5-xxl-enc-bf16.pth or umt5_xxl_*.safetensors, umt5-xxl-encoder-*.gguf)"
            );
            var vae = Need(
                CheckpointKind.Vae,
                dit,
                $"the VAE (Wan{(shape.Vae.Kind == VaeKind.Wan21 ? "2.1" : "2.2")}_VAE.pth or "
                    + $"wan{(shape.Vae.Kind == VaeKind.Wan21 ? "_2.1" : "2.2")}_vae.safetensors)"
            );
            var image = shape.ImageEncoder is null
                ? null
                : Need(CheckpointKind.ImageEncoder, dit, "the image encoder (models_clip_open-clip-*.pth or clip_vision_h.safetensors)");
            var tokenizer = scan
                .Tokenizers.Where(found => found.Pieces <= shape.TextEncoder.Vocabulary)
                .OrderBy(found => found.Inside)
                .ThenByDescending(found => found.Pieces)
                .ThenBy(found => Apart(found.File, dit.Files[0]))
                .FirstOrDefault();
            if (tokenizer is null)
            {
                _missing.Add("the tokenizer (google/umt5-xxl/spiece.model)");
            }

            var (loras, lorasLow) = Loras();
            var files =
                _missing.Count > 0
                    ? null
                    : new ModelFiles
                    {
                        Transformer = high!.Files,
                        TransformerLowNoise = low?.Files ?? [],
                        TextEncoder = text!.Files,
                        Tokenizer = tokenizer!.File,
                        Vae = vae!.Files,
                        ImageEncoder = image?.Files ?? [],
                        Loras = loras,
                        LorasLowNoise = lorasLow,
                    };
            return new AssembledModel(shape, files, tokenizer is { Inside: true } ? tokenizer : null, _missing, _notes);
        }

        private IEnumerable<FoundCheckpoint> Candidates(CheckpointKind kind) =>
            scan.Checkpoints.Where(found =>
                found.Description.Kind == kind && found.Description.Usable && found.Description.Models.Contains(shape.Id)
            );

        /// <summary>Models of one shape are told apart by names.</summary>
        private bool IsForThisModel(FoundCheckpoint dit)
        {
            if (
                shape.Experts == 1
                && dit.Role != ExpertRole.Unknown
                && ModelShapes.All.Any(other => other.Experts == 2 && dit.Description.Models.Contains(other.Id))
            )
            {
                return false;
            }

            if (shape.Id == ModelShapes.I2v14B720.Id)
            {
                return NameSigns.Says720(dit.Relative);
            }

            if (shape.Id != ModelShapes.I2v14B480.Id)
            {
                return true;
            }

            if (!dit.Relative.Contains("480", StringComparison.Ordinal) && !NameSigns.Says720(dit.Relative))
            {
                _notes.Add($"{dit.Relative} says neither 480p nor 720p; it is taken for 480p");
            }

            return !NameSigns.Says720(dit.Relative);
        }

        /// <summary>diffusers keeps the high-noise expert in 'transformer' and the other beside it.</summary>
        private static bool IsDiffusersFirst(FoundCheckpoint dit) =>
            Path.GetDirectoryName(dit.Files[0]) is { } folder
            && Path.GetFileName(folder) == "transformer"
            && Directory.Exists(folder + "_2");

        private FoundCheckpoint? Need(CheckpointKind kind, FoundCheckpoint dit, string what)
        {
            var best = Best(Candidates(kind), dit);
            if (best is null)
            {
                _missing.Add(what);
            }

            return best;
        }

        private static FoundCheckpoint? Best(IEnumerable<FoundCheckpoint> candidates, FoundCheckpoint? near) =>
            candidates
                .OrderBy(found =>
                    near is not null
                    && found.Description.Kind == near.Description.Kind
                    && found.Description.Quantization != near.Description.Quantization
                ) // Experts of one kind
                .ThenBy(found => Coarseness(found.Description))
                .ThenBy(found => near is null ? 0 : Apart(found.Files[0], near.Files[0]))
                .ThenBy(found => found.Relative, StringComparer.Ordinal)
                .FirstOrDefault();

        /// <summary>Eight bits with scales, then without them, then fewer bits the fewer they are.</summary>
        private static double Coarseness(CheckpointDescription found) =>
            found.Quantization == "none" ? 0
            : found.Quantization.Contains("plain", StringComparison.Ordinal) ? 2
            : 1 + Math.Max(0, 8 - found.BitsAWeight);

        /// <summary>Folders between two files.</summary>
        private static int Apart(string a, string b)
        {
            var (first, second) = (a.Split(Path.DirectorySeparatorChar), b.Split(Path.DirectorySeparatorChar));
            var common = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
            return first.Length + second.Length - (2 * common);
        }

        private (Dictionary<string, string> High, Dictionary<string, string> Low) Loras()
        {
            var (high, low) = (
                new Dictionary<string, string>(StringComparer.Ordinal),
                new Dictionary<string, string>(StringComparer.Ordinal)
            );
            var found = Candidates(CheckpointKind.Lora).ToList();
            foreach (var lora in found)
            {
                var name = Path.GetFileNameWithoutExtension(lora.Files[0]);
                if (shape.Experts == 1 || lora.Role == ExpertRole.Unknown)
                {
                    high.TryAdd(name, lora.Files[0]);
                    if (shape.Experts == 2)
                    {
                        low.TryAdd(name, lora.Files[0]);
                    }

                    continue;
                }
                // A pair goes by the name that both have, however each says its role
                var shared = NameSigns.WithoutRole(name);
                var paired =
                    shared.Length > 0
                    && found.Exists(other =>
                        other.Role != lora.Role
                        && other.Role != ExpertRole.Unknown
                        && NameSigns.WithoutRole(Path.GetFileNameWithoutExtension(other.Files[0])) == shared
                    );
                (lora.Role == ExpertRole.HighNoise ? high : low).TryAdd(paired ? shared : name, lora.Files[0]);
            }
            return (high, low);
        }
    }
}
