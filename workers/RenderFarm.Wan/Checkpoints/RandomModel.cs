using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using TorchSharp;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// A whole model folder of random weights, laid out and named as the published ones (with safetensors in the place of
/// <c>.pth</c>), and its <c>model.json</c>. What renders from it is noise, but it loads, streams, takes time and memory
/// like the real model.
/// </summary>
public static class RandomModel
{
    public const string Note = "The weights are random: what it renders is coloured noise.";

    public static long TotalBytes(ModelShape shape) =>
        (Elements(Layouts.Transformer(shape.Transformer)) * shape.Experts + Elements(Layouts.TextEncoder(shape.TextEncoder))) * 2
        + Elements(Layouts.Vae(shape.Vae)) * 4
        + (shape.ImageEncoder is { } image ? Elements(Layouts.PublishedImageEncoder(image)) * 2 : 0);

    /// <param name="written">Told the bytes of each tensor once it is on disk.</param>
    /// <param name="shardBytes">DiT files are cut at this size.</param>
    public static ModelManifest Write(
        ModelShape shape,
        string folder,
        long seed,
        Action<long> written,
        long shardBytes = RandomCheckpoint.ShardBytes
    )
    {
        Directory.CreateDirectory(folder);
        var checkpoint = new RandomCheckpoint(seed, written);
        var half = ElementType.Of(torch.ScalarType.BFloat16);
        string At(string name) => Path.Combine(folder, name);
        IReadOnlyList<string> Relative(IReadOnlyList<string> files) => [.. files.Select(f => Path.GetRelativePath(folder, f))];

        IReadOnlyList<string> Expert(string subfolder)
        {
            WriteConfig(shape.Transformer, At(Path.Combine(subfolder, "config.json")));
            return Relative(
                checkpoint.Write(
                    At(Path.Combine(subfolder, "diffusion_pytorch_model.safetensors")),
                    Layouts.Transformer(shape.Transformer),
                    half,
                    subfolder,
                    shardBytes
                )
            );
        }

        var transformer = Expert(shape.Experts == 2 ? "high_noise_model" : "");
        var lowNoise = shape.Experts == 2 ? Expert("low_noise_model") : [];
        var text = checkpoint.Write(
            At("models_t5_umt5-xxl-enc-bf16.safetensors"),
            Layouts.TextEncoder(shape.TextEncoder),
            half,
            shardBytes: long.MaxValue
        );
        var vae = checkpoint.Write(
            At(shape.Vae.Kind == VaeKind.Wan21 ? "Wan2.1_VAE.safetensors" : "Wan2.2_VAE.safetensors"),
            Layouts.Vae(shape.Vae),
            ElementType.Of(torch.ScalarType.Float32)
        ); // Published in float32, and run in it
        var image = shape.ImageEncoder is { } clip
            ? checkpoint.Write(
                At("models_clip_open-clip-xlm-roberta-large-vit-huge-14.safetensors"),
                Layouts.PublishedImageEncoder(clip),
                ElementType.Of(torch.ScalarType.Float16)
            )
            : [];

        var tokenizer = Path.Combine("google", "umt5-xxl", "spiece.model");
        Directory.CreateDirectory(Path.GetDirectoryName(At(tokenizer))!);
        SentencePieceModelWriter.Write(SentencePieceModelWriter.Small(RandomVocabulary.Words), At(tokenizer));

        var manifest = new ModelManifest
        {
            Shape = shape,
            Note = Note,
            Files = new ModelFiles
            {
                Transformer = transformer,
                TransformerLowNoise = lowNoise,
                TextEncoder = Relative(text),
                Tokenizer = tokenizer,
                Vae = Relative(vae),
                ImageEncoder = Relative(image),
            },
        };
        // Last: a folder with a manifest is whole
        File.WriteAllBytes(At(ModelManifest.FileName), JsonSerializer.SerializeToUtf8Bytes(manifest, ContractsJson.Default.ModelManifest));
        return manifest;
    }

    private static long Elements(IReadOnlyList<ExpectedTensor> tensors) => tensors.Sum(t => t.Elements);

    private static void WriteConfig(TransformerShape shape, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("_class_name", "WanModel");
        json.WriteString(
            "model_type",
            shape.ImageBranch switch
            {
                ImageBranch.Clip => "i2v",
                ImageBranch.ClipFirstLast => "flf2v",
                _ when shape.InChannels == 36 => "i2v",
                _ when shape.InChannels == 48 => "ti2v",
                _ => "t2v",
            }
        );
        json.WriteNumber("dim", shape.Dim);
        json.WriteNumber("ffn_dim", shape.FfnDim);
        json.WriteNumber("num_heads", shape.Heads);
        json.WriteNumber("num_layers", shape.Layers);
        json.WriteNumber("in_dim", shape.InChannels);
        json.WriteNumber("out_dim", shape.OutChannels);
        json.WriteNumber("freq_dim", shape.FrequencyDim);
        json.WriteNumber("text_dim", shape.TextDim);
        json.WriteNumber("text_len", shape.TextLength);
        json.WriteNumber("eps", shape.Epsilon);
        json.WriteEndObject();
    }
}
