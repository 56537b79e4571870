using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// Says what a checkpoint is. 1 tell kind, layout and prefix by keys that only this kind has; 2 read the sizes from shapes;
/// 3 name the models of these sizes and what they would have more.
/// </summary>
public static class CheckpointRecognition
{
    /// <summary>What the file holds; a file of several kinds is described by its DiT, see <see cref="DescribeAll"/>.</summary>
    public static CheckpointDescription Describe(ITensorSource source) => DescribeAll(source)[0];

    /// <summary>Every kind that the file holds, DiT first; or one description that says what it seems to be.</summary>
    public static IReadOnlyList<CheckpointDescription> DescribeAll(ITensorSource source)
    {
        if (LoraFile.Holds(source.Entries.Keys))
        {
            return [LoraFile.Describe(source, Plain(source, CheckpointKind.Lora, source.Entries.Values))];
        }

        CheckpointKind[] kinds = [CheckpointKind.Transformer, CheckpointKind.TextEncoder, CheckpointKind.Vae, CheckpointKind.ImageEncoder];
        var found = kinds
            .Select(kind => Naming.Find(source.Entries.Keys, kind))
            .OfType<Naming>()
            .Select(naming => Describe(source, naming))
            .ToList();
        return found.Count > 0 ? found : [Foreign(Plain(source, CheckpointKind.Unknown, source.Entries.Values), source)];
    }

    private static CheckpointDescription Describe(ITensorSource source, Naming naming)
    {
        // 1
        var entries = naming
            .Apply(source.Entries.Values)
            .ToDictionary(pair => pair.Key, pair => OriginalSource.Joined(pair.Key, pair.Value), StringComparer.Ordinal);
        var plain = Plain(source, naming.Kind, entries.Values) with { Layout = naming.Layout, Prefix = naming.Prefix };
        // 2 and 3
        try
        {
            return naming.Kind switch
            {
                CheckpointKind.Transformer => Transformer(plain, entries),
                CheckpointKind.TextEncoder => TextEncoder(plain, entries),
                CheckpointKind.Vae => Vae(plain, entries),
                _ => ImageEncoder(plain, entries),
            };
        }
        catch (ImplausibleSizeException e)
        {
            throw new CheckpointException(source.Name, e.Tensor, e.Message, e);
        }
    }

    private static CheckpointDescription Plain(ITensorSource source, CheckpointKind kind, IEnumerable<TensorEntry> entries)
    {
        var list = entries.ToList();
        return new CheckpointDescription
        {
            File = source.Name,
            Kind = kind,
            What = "",
            Quantization = Quantizations.Of(list.Concat(source.Entries.Values.Where(e => Quantizations.IsMarker(e.Name)))),
            Types = list.GroupBy(e => e.StoredAs).OrderByDescending(g => g.Count()).ToDictionary(g => g.Key, g => g.Count()),
            Tensors = list.Count,
            Parameters = list.Where(e => !Quantizations.IsMarker(e.Name)).Sum(e => e.Elements),
            Bytes = list.Sum(e => e.Bytes),
        };
    }

    private static CheckpointDescription Transformer(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        if (Relatives.Of(entries.Keys) is { } relative)
        {
            return plain with { What = $"a relative of the Wan DiT ({relative.Name})", Notes = [$"{relative.Name} is not supported"] };
        }

        var needed = (string[])
            [
                "head.modulation", "head.head.weight", "patch_embedding.weight", "blocks.0.ffn.0.weight",
                "text_embedding.0.weight", "time_embedding.0.weight",
            ];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
        {
            return plain with { What = "a part of a Wan DiT", Missing = absent };
        }

        var dim = Size(entries, "head.modulation", 2);
        var shape = new TransformerShape
        {
            Dim = dim,
            FfnDim = Size(entries, "blocks.0.ffn.0.weight", 0),
            Heads = Math.Max(1, dim / 128),
            Layers = Layers(entries.Keys, "blocks."),
            InChannels = Size(entries, "patch_embedding.weight", 1),
            OutChannels = Size(entries, "head.head.weight", 0) / 4,
            TextDim = Size(entries, "text_embedding.0.weight", 1),
            FrequencyDim = Size(entries, "time_embedding.0.weight", 1),
            ImageDim = entries.ContainsKey("img_emb.proj.1.weight")
                ? Size(entries, "img_emb.proj.1.weight", 1)
                : ModelShapes.T2v14B.Transformer.ImageDim,
            ImageTokens = entries.ContainsKey("img_emb.emb_pos")
                ? Size(entries, "img_emb.emb_pos", 1) / 2
                : ModelShapes.T2v14B.Transformer.ImageTokens,
            ImageBranch =
                entries.ContainsKey("img_emb.emb_pos") ? ImageBranch.ClipFirstLast
                : entries.ContainsKey("img_emb.proj.0.bias") ? ImageBranch.Clip
                : ImageBranch.None,
        };
        // The number of heads, of text rows and of one picture's tokens leaves no trace in a checkpoint
        var models = ModelShapes
            .All.Where(m =>
                m.Transformer with
                {
                    Heads = shape.Heads,
                    TextLength = shape.TextLength,
                    ImageTokens = shape.ImageBranch == ImageBranch.ClipFirstLast ? m.Transformer.ImageTokens : shape.ImageTokens,
                } == shape
            )
            .ToList();
        var notes = new List<string>();
        if (models.Count == 0)
        {
            notes.Add("no known model has these sizes");
        }

        if (models.Any(m => m.Experts == 2))
        {
            notes.Add("high-noise and low-noise experts look alike: say which by file or folder name (high_noise_model, low_noise_model)");
        }

        if (plain.Quantization.Contains("not supported", StringComparison.Ordinal))
        {
            notes.Add("take a bf16 or fp8 file of the model");
        }

        return plain with
        {
            What =
                $"Wan DiT: dim {dim}, ffn {shape.FfnDim}, {shape.Layers} layers, {shape.InChannels} → {shape.OutChannels} channels"
                + (shape.ImageBranch == ImageBranch.None ? "" : ", image branch"),
            Models = Ids(models),
            Missing = Missing(Layouts.Transformer(shape), entries),
            Notes = notes,
        };
    }

    private static CheckpointDescription TextEncoder(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        var needed = (string[])
            ["token_embedding.weight", "blocks.0.attn.q.weight", "blocks.0.ffn.fc1.weight", "blocks.0.pos_embedding.embedding.weight"];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
        {
            return plain with { What = "a part of a UMT5 encoder, or another T5", Missing = absent };
        }

        var shape = new TextEncoderShape
        {
            Vocabulary = Size(entries, "token_embedding.weight", 0),
            Dim = Size(entries, "token_embedding.weight", 1),
            AttentionDim = Size(entries, "blocks.0.attn.q.weight", 0),
            FfnDim = Size(entries, "blocks.0.ffn.fc1.weight", 0),
            Heads = Size(entries, "blocks.0.pos_embedding.embedding.weight", 1),
            Buckets = Size(entries, "blocks.0.pos_embedding.embedding.weight", 0),
            Layers = Layers(entries.Keys, "blocks."),
        };
        return plain with
        {
            What = $"UMT5 encoder: {shape.Vocabulary} pieces, dim {shape.Dim}, {shape.Layers} layers",
            Models = Ids(ModelShapes.All.Where(m => m.TextEncoder == shape)),
            Missing = Missing(Layouts.TextEncoder(shape), entries),
        };
    }

    private static CheckpointDescription Vae(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        var kind = entries.ContainsKey("decoder.upsamples.0.upsamples.0.residual.2.weight") ? VaeKind.Wan22 : VaeKind.Wan21;
        var needed = (string[])["encoder.conv1.weight", "decoder.head.0.gamma", "conv2.weight"];
        if (needed.Where(k => !entries.ContainsKey(k)).ToList() is { Count: > 0 } absent)
        {
            return plain with { What = "a part of a Wan VAE", Missing = absent };
        }

        var channels = Size(entries, "conv2.weight", 0);
        var shape = new VaeShape
        {
            Kind = kind,
            Dim = Size(entries, "encoder.conv1.weight", 0),
            DecoderDim = Size(entries, "decoder.head.0.gamma", 0),
            LatentChannels = channels,
            ResidualBlocks = kind == VaeKind.Wan22 ? ResidualBlocks(entries) : ModelShapes.Vae21.ResidualBlocks,
            LatentMean = new float[channels], // Leave no trace in a checkpoint
            LatentStd = new float[channels],
        };
        bool Same(VaeShape other) =>
            (other.Kind, other.Dim, other.DecoderDim, other.LatentChannels, other.ResidualBlocks)
            == (kind, shape.Dim, shape.DecoderDim, shape.LatentChannels, shape.ResidualBlocks);
        return plain with
        {
            What = $"Wan VAE {(kind == VaeKind.Wan21 ? "2.1" : "2.2")}: {shape.LatentChannels} latent channels, width {shape.Dim}",
            Models = Ids(ModelShapes.All.Where(m => Same(m.Vae))),
            Missing = Missing(Layouts.Vae(shape), entries),
        };
    }

    /// <summary>Of a stage of the encoder; the decoder's have one more. Where one side lost some, the other still tells.</summary>
    private static int ResidualBlocks(Dictionary<string, TensorEntry> entries)
    {
        int Count(string stage) =>
            Enumerable.Range(0, entries.Count).TakeWhile(block => entries.ContainsKey($"{stage}.{block}.residual.2.weight")).Count();
        return Math.Max(1, Math.Max(Count("encoder.downsamples.0.downsamples"), Count("decoder.upsamples.0.upsamples") - 1));
    }

    private static CheckpointDescription ImageEncoder(CheckpointDescription plain, Dictionary<string, TensorEntry> entries)
    {
        if (!entries.ContainsKey("visual.cls_embedding"))
        {
            return plain with { What = "a part of a CLIP vision tower", Missing = ["visual.cls_embedding"] };
        }

        var dim = Size(entries, "visual.cls_embedding", 2);
        var models = ModelShapes.All.Where(m => m.ImageEncoder?.Dim == dim).ToList();
        return plain with
        {
            What = $"CLIP vision tower: dim {dim}, {Layers(entries.Keys, "visual.transformer.")} layers",
            Models = Ids(models),
            Missing = models.Count == 0 ? [] : Missing(Layouts.ImageEncoder(models[0].ImageEncoder!), entries),
        };
    }

    private static CheckpointDescription Foreign(CheckpointDescription plain, ITensorSource source)
    {
        var entries = source.Entries;
        var groups = entries
            .Keys.GroupBy(k => k.Split('.')[0])
            .OrderByDescending(g => g.Count())
            .Take(5)
            .Select(g => $"{g.Key}.* ({g.Count()})");
        var says = source.Metadata.TryGetValue("general.architecture", out var architecture)
            ? (string[])[$"its header calls it '{architecture}'"]
            : [];
        return plain with
        {
            What = entries.Count == 0 ? "an empty checkpoint" : $"no part of a Wan model; its keys are {string.Join(", ", groups)}",
            Missing = ["head.modulation", "blocks.0.self_attn.q.weight"],
            Notes =
            [
                "the missing keys are those that every Wan DiT has; text encoders, VAEs and image encoders were looked for too",
                .. says,
            ],
        };
    }

    /// <summary>A file can claim any size, and modules are built from what it claims.</summary>
    private static int Size(Dictionary<string, TensorEntry> entries, string key, int dimension)
    {
        const long Largest = 1 << 20;
        var shape = entries[key].Shape;
        if (dimension >= shape.Count)
        {
            throw new ImplausibleSizeException(key, $"has {shape.Count} dimensions; at least {dimension + 1} are needed");
        }

        return shape[dimension] is >= 1 and <= Largest and var size
            ? (int)size
            : throw new ImplausibleSizeException(key, $"[{string.Join(", ", shape)}] is the size of no model");
    }

    private static int Layers(IEnumerable<string> keys, string stem)
    {
        const int Most = 512;
        var layers = OriginalNames.Blocks(keys, stem);
        return layers <= Most
            ? layers
            : throw new ImplausibleSizeException($"{stem}{layers - 1}", $"is block number {layers}; at most {Most} are looked at");
    }

    private static List<string> Missing(IReadOnlyList<ExpectedTensor> expected, Dictionary<string, TensorEntry> entries) =>
        [.. expected.Where(t => !entries.ContainsKey(t.Name)).Select(t => t.Name)];

    private static List<string> Ids(IEnumerable<ModelShape> models) => [.. models.Select(m => m.Id)];

    private sealed class ImplausibleSizeException(string tensor, string message) : Exception(message)
    {
        public string Tensor => tensor;
    }
}
