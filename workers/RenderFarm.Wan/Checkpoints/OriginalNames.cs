using System.Text.RegularExpressions;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>Names that others gave to the tensors of the original layout, back to the original ones.</summary>
public static partial class OriginalNames
{
    private static readonly (string Theirs, string Original)[] Transformer =
    [
        ("condition_embedder.text_embedder.linear_1.", "text_embedding.0."),
        ("condition_embedder.text_embedder.linear_2.", "text_embedding.2."),
        ("condition_embedder.time_embedder.linear_1.", "time_embedding.0."),
        ("condition_embedder.time_embedder.linear_2.", "time_embedding.2."),
        ("condition_embedder.time_proj.", "time_projection.1."),
        ("condition_embedder.image_embedder.norm1.", "img_emb.proj.0."),
        ("condition_embedder.image_embedder.ff.net.0.proj.", "img_emb.proj.1."),
        ("condition_embedder.image_embedder.ff.net.2.", "img_emb.proj.3."),
        ("condition_embedder.image_embedder.norm2.", "img_emb.proj.4."),
        ("condition_embedder.image_embedder.pos_embed", "img_emb.emb_pos"),
        (".attn1.to_out.0.", ".self_attn.o."), (".attn2.to_out.0.", ".cross_attn.o."),
        (".attn2.add_k_proj.", ".cross_attn.k_img."), (".attn2.add_v_proj.", ".cross_attn.v_img."),
        (".attn2.norm_added_k.", ".cross_attn.norm_k_img."), (".attn1.to_", ".self_attn."),
        (".attn2.to_", ".cross_attn."), (".attn1.norm_", ".self_attn.norm_"), (".attn2.norm_", ".cross_attn.norm_"),
        (".ffn.net.0.proj.", ".ffn.0."), (".ffn.net.2.", ".ffn.2."),
        (".norm2.", ".norm3."), // Theirs counts the norms that have weights by the order in which they run
        ("proj_out.", "head.head."),
    ];

    private static readonly (string Theirs, string Original)[] TextEncoder =
    [
        ("encoder.final_layer_norm.", "norm."),
        ("layer.0.SelfAttention.relative_attention_bias.", "pos_embedding.embedding."),
        ("layer.0.SelfAttention.", "attn."), ("layer.0.layer_norm.", "norm1."), ("layer.1.layer_norm.", "norm2."),
        ("layer.1.DenseReluDense.wi_0.", "ffn.gate.0."), ("layer.1.DenseReluDense.wi_1.", "ffn.fc1."),
        ("layer.1.DenseReluDense.wo.", "ffn.fc2."), ("encoder.block.", "blocks."),
    ];

    private static readonly (string Theirs, string Original)[] TextEncoderOfGguf =
    [
        ("token_embd.", "token_embedding."), ("enc.output_norm.", "norm."), (".attn_norm.", ".norm1."),
        (".ffn_norm.", ".norm2."), (".attn_rel_b.", ".pos_embedding.embedding."), (".attn_q.", ".attn.q."),
        (".attn_k.", ".attn.k."), (".attn_v.", ".attn.v."), (".attn_o.", ".attn.o."), (".ffn_gate.", ".ffn.gate.0."),
        (".ffn_up.", ".ffn.fc1."), (".ffn_down.", ".ffn.fc2."), ("enc.blk.", "blocks."),
    ];

    /// <summary>A DiT's key in diffusers' layout → original.</summary>
    public static string FromDiffusers(string key)
    {
        if (key == "scale_shift_table")
        {
            return "head.modulation";
        }

        if (key.EndsWith(".scale_shift_table", StringComparison.Ordinal))
        {
            return key.Replace(".scale_shift_table", ".modulation", StringComparison.Ordinal);
        }

        return Replaced(key, key.StartsWith("condition_embedder.", StringComparison.Ordinal) ? Transformer[..10] : Transformer[10..]);
    }

    /// <summary>A UMT5 encoder's key in the layout of Hugging Face transformers → original.</summary>
    public static string FromTransformers(string key) =>
        key is "shared.weight" or "encoder.embed_tokens.weight" ? "token_embedding.weight" : Replaced(key, TextEncoder);

    /// <summary>A UMT5 encoder's key in the layout of llama.cpp → original.</summary>
    public static string FromGguf(string key) => Replaced(key, TextEncoderOfGguf);

    private static string Replaced(string key, ReadOnlySpan<(string Theirs, string Original)> table)
    {
        foreach (var (theirs, original) in table)
        {
            key = key.Replace(theirs, original, StringComparison.Ordinal);
        }

        return key;
    }

    /// <summary>1 + the largest N of <c>blocks.N.</c></summary>
    internal static int Blocks(IEnumerable<string> keys, string stem) =>
        keys.Where(k => k.StartsWith(stem, StringComparison.Ordinal))
            .Select(k => Number().Match(k, stem.Length))
            .Where(m => m.Success && m.Value.Length < 9)
            .Select(m => int.Parse(m.Value, System.Globalization.CultureInfo.InvariantCulture) + 1)
            .DefaultIfEmpty(0)
            .Max();

    [GeneratedRegex(@"\G\d+")]
    private static partial Regex Number();
}
