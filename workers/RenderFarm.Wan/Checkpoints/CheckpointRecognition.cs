using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// Says what a checkpoint is. 1 find the prefix that single-file checkpoints put before every key; 2 tell the kind by keys
/// that only this kind has; 3 read the sizes from shapes; 4 name the models of these sizes and what they would have more.
/// </summary>
public static class CheckpointRecognition
{
    private static readonly string[] Prefixes = ["", "model.diffusion_model.", "diffusion_model.", "model.", "text_encoders.umt5xxl.transformer.", "vae."];

    /// <summary>Keys of relatives that share the DiT's names but not its forward.</summary>
    private static readonly (string Key, string Name)[] Relatives =
    [
        ("vace_patch_embedding.weight", "VACE"),
        ("control_adapter.conv.weight", "Fun-Camera"),
        ("ref_conv.weight", "a reference-image variant"),
        ("face_adapter.", "Animate"),
        ("casual_audio_encoder.", "S2V"),
        ("audio_proj.", "HuMo"),
    ];

    public static CheckpointDescription Describe(ITensorSource source)
    {
        // 1
        var prefix = Prefixes.FirstOrDefault(p => Kind(Without(source.Entries, p)) != CheckpointKind.Unknown) ?? "";
        var entries = Without(source.Entries, prefix);
        var plain = new CheckpointDescription
        {
            File = source.Name,
            Kind = Kind(entries),
            What = "",
            Prefix = prefix,
            Quantization = Quantizations.Of(entries),
            Types = source.Entries.Values.GroupBy(e => e.Type.Name).OrderByDescending(g => g.Count()).ToDictionary(g => g.Key, g => g.Count()),
            Tensors = source.Entries.Count,
            Parameters = entries.Values.Where(e => !Quantizations.IsMarker(e.Name)).Sum(e => e.Elements),
            Bytes = source.Entries.Values.Sum(e => e.Bytes),
        };
        // 2 to 4
        return plain.Kind switch
        {
            CheckpointKind.Transformer => Transformer(plain, entries),
            CheckpointKind.TextEncoder => TextEncoder(plain, entries),
            CheckpointKind.Vae => Vae(plain, entries),
            CheckpointKind.ImageEncoder => ImageEncoder(plain, entries),
            CheckpointKind.Lora => plain with { What = "a LoRA: low-rank changes to a model's weights" },
            _ => Foreign(plain, entries),
        };
    }

    private static CheckpointKind Kind(IReadOnlyDictionary<string, TensorEntry> keys)
    {
        if (keys.Keys.Any(k => k.Contains(".lora_", StringComparison.Ordinal))) return CheckpointKind.Lora;
        if (keys.ContainsKey("head.modulation") || keys.ContainsKey("blocks.0.self_attn.q.weight")
            || keys.ContainsKey("condition_embedder.time_embedder.linear_1.weight")) return CheckpointKind.Transformer;
        if (keys.ContainsKey("token_embedding.weight") || keys.ContainsKey("blocks.0.attn.q.weight")
            || keys.ContainsKey("encoder.block.0.layer.0.SelfAttention.q.weight")) return CheckpointKind.TextEncoder;
        if (keys.ContainsKey("decoder.upsamples.0.residual.2.weight") || keys.ContainsKey("decoder.upsamples.0.upsamples.0.residual.2.weight")
            || (keys.ContainsKey("decoder.conv_in.weight") && keys.ContainsKey("post_quant_conv.weight"))) return CheckpointKind.Vae;
        if (keys.ContainsKey("visual.pre_norm.weight") || keys.ContainsKey("vision_model.pre_layrnorm.weight")) return CheckpointKind.ImageEncoder;
        return CheckpointKind.Unknown;
    }

    private static CheckpointDescription Transformer(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        var diffusers = entries.ContainsKey("condition_embedder.time_embedder.linear_1.weight");
        if (diffusers) entries = Renamed(entries, OriginalNames.FromDiffusers);
        plain = plain with { Layout = diffusers ? "diffusers" : "original" };
        if (Relatives.FirstOrDefault(r => entries.Keys.Any(k => k.StartsWith(r.Key, StringComparison.Ordinal))).Name is { } relative)
            return plain with { What = $"a relative of the Wan DiT ({relative})", Notes = [$"{relative} is not supported"] };

        var needed = (string[])["head.modulation", "head.head.weight", "patch_embedding.weight", "blocks.0.ffn.0.weight", "text_embedding.0.weight", "time_embedding.0.weight"];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
            return plain with { What = "a part of a Wan DiT", Missing = absent };

        var dim = Size(entries, "head.modulation", 2);
        var shape = new TransformerShape
        {
            Dim = dim,
            FfnDim = Size(entries, "blocks.0.ffn.0.weight", 0),
            Heads = Math.Max(1, dim / 128),
            Layers = OriginalNames.Blocks(entries.Keys, "blocks."),
            InChannels = Size(entries, "patch_embedding.weight", 1),
            OutChannels = Size(entries, "head.head.weight", 0) / 4,
            TextDim = Size(entries, "text_embedding.0.weight", 1),
            FrequencyDim = Size(entries, "time_embedding.0.weight", 1),
            ImageBranch = entries.ContainsKey("img_emb.emb_pos") ? ImageBranch.ClipFirstLast
                : entries.ContainsKey("img_emb.proj.0.bias") ? ImageBranch.Clip : ImageBranch.None,
        };
        // the number of heads and of text rows leaves no trace in a checkpoint
        var models = ModelShapes.All.Where(m => m.Transformer with { Heads = shape.Heads, TextLength = shape.TextLength } == shape).ToList();
        var notes = new List<string>();
        if (models.Count == 0) notes.Add("no known model has these sizes");
        if (models.Any(m => m.Experts == 2)) notes.Add("high-noise and low-noise experts look alike: say which by file or folder name (high_noise_model, low_noise_model)");
        if (diffusers) notes.Add("diffusers' names: convert to the original layout to load it");
        return plain with
        {
            What = $"Wan DiT: dim {dim}, ffn {shape.FfnDim}, {shape.Layers} layers, {shape.InChannels} → {shape.OutChannels} channels"
                + (shape.ImageBranch == ImageBranch.None ? "" : ", image branch"),
            Models = Ids(models),
            Missing = Missing(Layouts.Transformer(shape), entries),
            Notes = notes,
        };
    }

    private static CheckpointDescription TextEncoder(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        var theirs = entries.ContainsKey("encoder.block.0.layer.0.SelfAttention.q.weight");
        if (theirs) entries = Renamed(entries, OriginalNames.FromTransformers);
        plain = plain with { Layout = theirs ? "transformers" : "original" };
        var needed = (string[])["token_embedding.weight", "blocks.0.attn.q.weight", "blocks.0.ffn.fc1.weight", "blocks.0.pos_embedding.embedding.weight"];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
            return plain with { What = "a part of a UMT5 encoder, or another T5", Missing = absent };

        var shape = new TextEncoderShape
        {
            Vocabulary = Size(entries, "token_embedding.weight", 0),
            Dim = Size(entries, "token_embedding.weight", 1),
            AttentionDim = Size(entries, "blocks.0.attn.q.weight", 0),
            FfnDim = Size(entries, "blocks.0.ffn.fc1.weight", 0),
            Heads = Size(entries, "blocks.0.pos_embedding.embedding.weight", 1),
            Buckets = Size(entries, "blocks.0.pos_embedding.embedding.weight", 0),
            Layers = OriginalNames.Blocks(entries.Keys, "blocks."),
        };
        return plain with
        {
            What = $"UMT5 encoder: {shape.Vocabulary} pieces, dim {shape.Dim}, {shape.Layers} layers",
            Models = Ids(ModelShapes.All.Where(m => m.TextEncoder == shape)),
            Missing = Missing(Layouts.TextEncoder(shape), entries),
            Notes = theirs ? ["transformers' names: convert to the original layout to load it"] : [],
        };
    }

    private static CheckpointDescription Vae(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        if (entries.ContainsKey("post_quant_conv.weight"))
            return plain with { What = "a Wan VAE", Layout = "diffusers", Notes = ["diffusers' names: convert to the original layout to load it"] };
        var kind = entries.ContainsKey("decoder.upsamples.0.upsamples.0.residual.2.weight") ? VaeKind.Wan22 : VaeKind.Wan21;
        plain = plain with { Layout = "original" };
        var needed = (string[])["encoder.conv1.weight", "decoder.head.0.gamma", "conv2.weight"];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
            return plain with { What = "a part of a Wan VAE", Missing = absent };

        var channels = Size(entries, "conv2.weight", 0);
        var shape = new VaeShape
        {
            Kind = kind,
            Dim = Size(entries, "encoder.conv1.weight", 0),
            DecoderDim = Size(entries, "decoder.head.0.gamma", 0),
            LatentChannels = channels,
            LatentMean = new float[channels], // leave no trace in a checkpoint
            LatentStd = new float[channels],
        };
        bool Same(VaeShape other) => (other.Kind, other.Dim, other.DecoderDim, other.LatentChannels) == (kind, shape.Dim, shape.DecoderDim, shape.LatentChannels);
        return plain with
        {
            What = $"Wan VAE {(kind == VaeKind.Wan21 ? "2.1" : "2.2")}: {shape.LatentChannels} latent channels, width {shape.Dim}",
            Models = Ids(ModelShapes.All.Where(m => Same(m.Vae))),
            Missing = Missing(Layouts.Vae(shape), entries),
        };
    }

    private static CheckpointDescription ImageEncoder(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        if (entries.ContainsKey("vision_model.pre_layrnorm.weight"))
            return plain with { What = "a CLIP vision tower", Layout = "transformers", Notes = ["transformers' names: convert to the original layout to load it"] };
        plain = plain with { Layout = "original" };
        if (!entries.ContainsKey("visual.cls_embedding")) return plain with { What = "a part of a CLIP vision tower", Missing = ["visual.cls_embedding"] };
        var dim = Size(entries, "visual.cls_embedding", 2);
        var models = ModelShapes.All.Where(m => m.ImageEncoder?.Dim == dim).ToList();
        return plain with
        {
            What = $"CLIP vision tower: dim {dim}, {OriginalNames.Blocks(entries.Keys, "visual.transformer.")} layers",
            Models = Ids(models),
            Missing = models.Count == 0 ? [] : Missing(Layouts.ImageEncoder(models[0].ImageEncoder!), entries),
        };
    }

    private static CheckpointDescription Foreign(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        var groups = entries.Keys.GroupBy(k => k.Split('.')[0]).OrderByDescending(g => g.Count()).Take(5).Select(g => $"{g.Key}.* ({g.Count()})");
        return plain with
        {
            What = entries.Count == 0 ? "an empty checkpoint" : $"no part of a Wan model; its keys are {string.Join(", ", groups)}",
            Missing = ["head.modulation", "blocks.0.self_attn.q.weight"],
            Notes = ["the missing keys are those that every Wan DiT has; text encoders, VAEs and image encoders were looked for too"],
        };
    }

    private static Dictionary<string, TensorEntry> Without(IReadOnlyDictionary<string, TensorEntry> entries, string prefix) => entries.Values
        .Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(e => e.Name[prefix.Length..], e => e with { Name = e.Name[prefix.Length..] }, StringComparer.Ordinal);

    private static Dictionary<string, TensorEntry> Renamed(Dictionary<string, TensorEntry> entries, Func<string, string> name)
    {
        var renamed = new Dictionary<string, TensorEntry>(StringComparer.Ordinal);
        foreach (var (key, entry) in entries) renamed.TryAdd(name(key), entry); // some files hold the embedding twice
        return renamed;
    }

    /// <exception cref="CheckpointException">No model is of that size: a file can claim any, and modules are built from them.</exception>
    private static int Size(Dictionary<string, TensorEntry> entries, string key, int dimension)
    {
        const long largest = 1 << 20;
        var shape = entries[key].Shape;
        if (dimension >= shape.Count) throw new CheckpointException(entries[key].Name, "shape", $"has {shape.Count} dimensions; {dimension + 1} are needed");
        return shape[dimension] is >= 1 and <= largest and var size ? (int)size
            : throw new CheckpointException(entries[key].Name, "shape", $"[{string.Join(", ", shape)}] is of no model");
    }

    private static List<string> Missing(IReadOnlyList<ExpectedTensor> expected, Dictionary<string, TensorEntry> entries) =>
        [.. expected.Where(t => !entries.ContainsKey(t.Name)).Select(t => t.Name)];

    private static List<string> Ids(IEnumerable<ModelShape> models) => [.. models.Select(m => m.Id)];
}
