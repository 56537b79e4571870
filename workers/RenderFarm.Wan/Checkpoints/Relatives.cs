namespace RenderFarm.Wan.Checkpoints;

/// <summary>Models that share the DiT's names but not its forward.</summary>
internal static class Relatives
{
    private static readonly (string Key, string Name)[] All =
    [
        ("vace_patch_embedding.", "VACE"), ("vace_blocks.", "VACE"), ("control_adapter.", "Fun-Camera"),
        ("ref_conv.", "a reference-image variant"), ("face_adapter.", "Animate"),
        ("casual_audio_encoder.", "S2V"), // So spelt
        ("audio_proj.", "HuMo"),
    ];

    /// <summary>Null for a DiT that is rendered.</summary>
    public static (string Key, string Name)? Of(IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            foreach (var relative in All)
            {
                if (key.StartsWith(relative.Key, StringComparison.Ordinal))
                {
                    return (key, relative.Name);
                }
            }
        }

        return null;
    }
}
