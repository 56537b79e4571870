using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// What a checkpoint's keys say of it: its kind, whose names they are, and what stands before every one of them.
/// </summary>
/// <param name="Layout"><c>original</c>, <c>diffusers</c>, <c>transformers</c> or <c>gguf</c>.</param>
/// <param name="Original">A key without its prefix → the original name, and which part of that tensor it is.</param>
internal sealed record Naming(CheckpointKind Kind, string Layout, string Prefix, Func<string, (string Name, int Part)> Original)
{
    /// <summary>
    /// Keys that only this kind in this layout has. Several, so that a file with one of them missing is still known for what it
    /// is.
    /// </summary>
    private static readonly (CheckpointKind Kind, string Layout, string[] Keys, Func<string, (string, int)> Original)[] Known =
    [
        (
            CheckpointKind.Transformer,
            "diffusers",
            ["condition_embedder.time_embedder.linear_1.weight", "condition_embedder.time_proj.weight"],
            Whole(OriginalNames.FromDiffusers)
        ),
        (
            CheckpointKind.Transformer,
            "original",
            ["head.modulation", "blocks.0.self_attn.q.weight", "time_projection.1.weight"],
            Whole(key => key)
        ),
        (
            CheckpointKind.TextEncoder,
            "transformers",
            ["encoder.block.0.layer.0.SelfAttention.q.weight", "encoder.block.0.layer.1.DenseReluDense.wi_1.weight"],
            Whole(OriginalNames.FromTransformers)
        ),
        (
            CheckpointKind.TextEncoder,
            "original",
            ["blocks.0.ffn.gate.0.weight", "blocks.0.pos_embedding.embedding.weight"],
            Whole(key => key)
        ),
        (
            CheckpointKind.TextEncoder,
            "gguf",
            ["enc.blk.0.attn_q.weight", "enc.blk.0.ffn_gate.weight"],
            Whole(OriginalNames.FromGguf)
        ),
        (
            CheckpointKind.Vae,
            "diffusers",
            ["encoder.down_blocks.0.resnets.0.norm1.gamma", "decoder.up_blocks.0.upsampler.resample.1.weight"],
            Whole(VaeNames.From22)
        ),
        (
            CheckpointKind.Vae,
            "diffusers",
            ["decoder.mid_block.resnets.0.norm1.gamma", "decoder.up_blocks.0.upsamplers.0.resample.1.weight"],
            Whole(VaeNames.From21)
        ),
        (
            CheckpointKind.Vae,
            "original",
            [
                "decoder.upsamples.0.residual.2.weight",
                "decoder.upsamples.0.upsamples.0.residual.2.weight",
                "decoder.middle.0.residual.0.gamma",
            ],
            Whole(key => key)
        ),
        (
            CheckpointKind.ImageEncoder,
            "transformers",
            ["embeddings.patch_embedding.weight", "pre_layrnorm.weight"],
            ClipNames.FromTransformers
        ),
        (
            CheckpointKind.ImageEncoder,
            "original",
            ["transformer.0.attn.to_qkv.weight", "pre_norm.weight", "cls_embedding"],
            Whole(key => "visual." + key)
        ),
    ];

    /// <param name="wanted">Of a file that holds several kinds; any kind when not given.</param>
    /// <returns>Null where no kind is recognised.</returns>
    public static Naming? Find(IEnumerable<string> keys, CheckpointKind? wanted = null)
    {
        var all = keys as IReadOnlyCollection<string> ?? [.. keys];
        foreach (var (kind, layout, signatures, original) in Known.Where(known => wanted is null || known.Kind == wanted))
        {
            foreach (var signature in signatures)
            {
                // A signature begins a key or follows a dot: vace_blocks.0… is no block of a DiT
                var prefix = all.Where(key => key.EndsWith(signature, StringComparison.Ordinal))
                    .Select(key => key[..^signature.Length])
                    .Where(before => before.Length == 0 || before[^1] == '.')
                    .MinBy(before => before.Length);
                if (prefix is not null)
                {
                    return new Naming(kind, layout, prefix, original);
                }
            }
        }

        return null;
    }

    /// <summary>What belongs to the kind, under the prefix, by its original name; parts of one tensor in their order.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<TensorEntry>> Apply(IEnumerable<TensorEntry> entries)
    {
        var found = new Dictionary<string, SortedDictionary<int, TensorEntry>>(StringComparer.Ordinal);
        foreach (var entry in entries.Where(entry => entry.Name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var key = entry.Name[Prefix.Length..];
            if (IsBeside(key))
            {
                continue;
            }

            var (name, part) = Original(key);
            if (!found.TryGetValue(name, out var parts))
            {
                found.Add(name, parts = []);
            }

            parts.TryAdd(part, entry); // Some files hold the embedding twice
        }
        return found.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<TensorEntry>)[.. pair.Value.Values], StringComparer.Ordinal);
    }

    /// <summary>The original name of a key, with its prefix or without; null where it is no part of the model.</summary>
    public string? NameOf(string key)
    {
        var bare = key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..] : key;
        return IsBeside(bare) ? null : Original(bare).Name;
    }

    /// <summary>Things that lie in such files and are no part of the model.</summary>
    private bool IsBeside(string key) =>
        key is "scaled_fp8" or "spiece_model" or "log_scale" or "logit_scale"
        || key.StartsWith("model_type.", StringComparison.Ordinal)
        || key.Contains(".norm_added_q.", StringComparison.Ordinal)
        || key.EndsWith(".comfy_quant", StringComparison.Ordinal)
        || key.EndsWith(".scale_input", StringComparison.Ordinal)
        || key.EndsWith(".input_scale", StringComparison.Ordinal)
        || (
            Kind == CheckpointKind.TextEncoder
            && (
                key.StartsWith("decoder.", StringComparison.Ordinal)
                || key.StartsWith("lm_head.", StringComparison.Ordinal)
                || key.StartsWith("dec.", StringComparison.Ordinal)
                || key == "output.weight"
            )
        );

    private static Func<string, (string, int)> Whole(Func<string, string> name) => key => (name(key), 0);
}
