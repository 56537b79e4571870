using System.Text.RegularExpressions;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>A CLIP vision tower's keys in the layout of Hugging Face transformers, back to the original ones.</summary>
internal static partial class ClipNames
{
    private static readonly (string Theirs, string Original)[] Parts =
    [
        ("embeddings.patch_embedding.", "visual.patch_embedding."),
        ("embeddings.class_embedding", "visual.cls_embedding"),
        ("embeddings.position_embedding.weight", "visual.pos_embedding"),
        ("pre_layrnorm.", "visual.pre_norm."), // So spelt
        ("post_layernorm.", "visual.post_norm."), ("encoder.layers.", "visual.transformer."),
        (".layer_norm1.", ".norm1."), (".layer_norm2.", ".norm2."), (".self_attn.out_proj.", ".attn.proj."),
        (".mlp.fc1.", ".mlp.0."), (".mlp.fc2.", ".mlp.2."),
    ];

    /// <summary>q, k and v are tensors of their own there: the first three parts of one.</summary>
    public static (string Name, int Part) FromTransformers(string key)
    {
        foreach (var (theirs, original) in Parts)
        {
            key = key.Replace(theirs, original, StringComparison.Ordinal);
        }

        var match = Projection().Match(key);
        return match.Success
            ? (
                $"{key[..match.Index]}.attn.to_qkv.{key[(match.Index + match.Length)..]}",
                "qkv".IndexOf(match.Groups["part"].Value, StringComparison.Ordinal)
            )
            : (key, 0);
    }

    [GeneratedRegex(@"\.self_attn\.(?<part>[qkv])_proj\.")]
    private static partial Regex Projection();
}
