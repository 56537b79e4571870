using RenderFarm.Contracts.Models;

namespace RenderFarm.Cli.Models;

/// <summary>Finds the files of a model in a folder as it was published, by the names they were published under.</summary>
internal static class PublishedCheckpoint
{
    private static readonly string[] Weights = [".safetensors", ".pth"];

    /// <exception cref="FarmException">A component is missing; names it and what was looked for.</exception>
    public static ModelFiles Find(ModelShape shape, string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new FarmException("no_such_folder", $"there is no folder {folder}");
        }

        var two = shape.Experts == 2;
        return new ModelFiles
        {
            Transformer = Need("transformer", folder, two ? "high_noise_model/diffusion_pytorch_model*" : "diffusion_pytorch_model*"),
            TransformerLowNoise = two ? Need("low-noise transformer", folder, "low_noise_model/diffusion_pytorch_model*") : [],
            TextEncoder = Need("text encoder", folder, "models_t5*"),
            Tokenizer =
                Path.Combine(folder, "google", "umt5-xxl", "spiece.model") is var tokenizer && File.Exists(tokenizer)
                    ? tokenizer
                    : throw Missing("tokenizer", folder, "google/umt5-xxl/spiece.model"),
            Vae = Need("VAE", folder, shape.Vae.Kind == VaeKind.Wan21 ? "Wan2.1_VAE*" : "Wan2.2_VAE*"),
            ImageEncoder = shape.Transformer.ImageBranch == ImageBranch.None ? [] : Need("image encoder", folder, "models_clip*"),
        };
    }

    /// <summary>Every shard, in order of names. Safetensors before .pth where both are there.</summary>
    private static string[] Need(string component, string folder, string pattern)
    {
        var (directory, name) = (Path.Combine(folder, Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern));
        foreach (var extension in Weights)
        {
            var found = Directory.Exists(directory) ? Directory.GetFiles(directory, name + extension) : [];
            if (found.Length > 0)
            {
                return [.. found.Order(StringComparer.Ordinal)];
            }
        }
        throw Missing(component, folder, string.Join(" or ", Weights.Select(extension => pattern + extension)));
    }

    private static FarmException Missing(string component, string folder, string pattern) =>
        new("missing_component", $"the {component} is missing in {folder}: looked for {pattern}");
}
