using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Loras;

/// <summary>The tensors of one DiT by every name that a LoRA may give to the modules that own them.</summary>
internal sealed class LoraTargets
{
    private static readonly string[] Prefixes =
    [
        "base_model.model.", "pipe.dit.", "model.diffusion_model.", "diffusion_model.", "transformer_2.",
        "transformer.", "model.", "dit.",
    ];
    private static readonly string[] FlatPrefixes = ["lora_unet__", "lora_unet_", "lora_transformer_", "lycoris_"];

    private readonly Dictionary<string, ExpectedTensor> _tensors;
    private readonly Dictionary<string, string> _flat; // blocks_7_self_attn_q → blocks.7.self_attn.q

    public LoraTargets(TransformerShape shape)
    {
        _tensors = Layouts.Transformer(shape).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        // Underscores are part of names too (self_attn, k_img), so that flattened names can only be looked up, not taken apart
        _flat = _tensors.Keys.Select(Module).Distinct().ToDictionary(module => module.Replace('.', '_'), StringComparer.Ordinal);
    }

    /// <summary>What the part changes; null where this model has no such module.</summary>
    public ExpectedTensor? Find(string module, LoraPart part)
    {
        var original = Original(module);
        if (part == LoraPart.BiasDifference)
        {
            return _tensors.GetValueOrDefault(original + ".bias");
        }

        return _tensors.GetValueOrDefault(original + ".weight")
            ?? (part == LoraPart.Difference ? _tensors.GetValueOrDefault(original) : null);
    }

    /// <summary>The module's name in the original layout.</summary>
    public string Original(string module)
    {
        foreach (var prefix in FlatPrefixes)
        {
            if (module.StartsWith(prefix, StringComparison.Ordinal) && _flat.TryGetValue(module[prefix.Length..], out var dotted))
            {
                return dotted;
            }
        }

        bool stripped;
        do
        {
            stripped = false;
            foreach (var prefix in Prefixes.Where(prefix => module.StartsWith(prefix, StringComparison.Ordinal)))
            {
                module = module[prefix.Length..];
                stripped = true;
                break;
            }
        } while (stripped);
        return Module(OriginalNames.FromDiffusers(module + ".weight"));
    }

    private static string Module(string tensor) =>
        tensor.EndsWith(".weight", StringComparison.Ordinal) ? tensor[..^".weight".Length]
        : tensor.EndsWith(".bias", StringComparison.Ordinal) ? tensor[..^".bias".Length]
        : tensor;
}
