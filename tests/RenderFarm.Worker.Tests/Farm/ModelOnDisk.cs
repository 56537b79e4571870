using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>A model's folder as far as a worker reads it.</summary>
internal static class ModelOnDisk
{
    /// <summary>The manifest alone: it names weights that a stub never opens.</summary>
    public static void WriteManifest(string folder, ModelShape shape)
    {
        Directory.CreateDirectory(folder);
        var manifest = new ModelManifest
        {
            Shape = shape,
            Files = new ModelFiles
            {
                Transformer = ["dit.safetensors"],
                TextEncoder = ["t5.safetensors"],
                Tokenizer = "spiece.model",
                Vae = ["vae.safetensors"],
            },
        };
        File.WriteAllText(
            Path.Combine(folder, ModelManifest.FileName),
            JsonSerializer.Serialize(manifest, ContractsJson.Default.ModelManifest)
        );
    }
}
