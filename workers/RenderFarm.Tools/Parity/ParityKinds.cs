namespace RenderFarm.Tools.Parity;

/// <param name="Stem">How names of this kind begin, without extension.</param>
/// <param name="Check">Compares every output of the file; a fault of the file may be thrown.</param>
internal sealed record ParityKind(string Stem, string Extension, Action<ParityFile> Check);

/// <summary>What a golden file is, by its name.</summary>
internal static class ParityKinds
{
    private static readonly ParityKind[] All =
    [
        new("dit", ".safetensors", TransformerParity.Check),
        new("vae21", ".safetensors", VaeParity.Check21),
        new("vae22", ".safetensors", VaeParity.Check22),
        new("clip_visual", ".safetensors", ImageEncoderParity.Check),
        new("fp8_cast", ".safetensors", Float8Parity.Check),
        new("pipeline_t2v", ".safetensors", PipelineParity.Check),
        new("umt5_weights", ".pth", PthParity.Check),
        new("umt5", ".safetensors", TextEncoderParity.Check),
        new("tokenizer_cases", ".json", TokenizerParity.Check),
        new("gguf_types", ".safetensors", GgufParity.CheckTypes),
        new("gguf_dit", ".safetensors", GgufParity.CheckTransformer),
        new("gguf_umt5", ".safetensors", GgufParity.CheckTextEncoder),
        new("lora_kinds", ".safetensors", LoraParity.Check),
        new("sampler_unipc", ".safetensors", SamplerParity.CheckUniPc),
        new("sampler_dpmpp", ".safetensors", SamplerParity.CheckDpmSolver),
        new("sampler_euler", ".safetensors", SamplerParity.CheckEuler),
    ];

    /// <summary>The kind with the longest fitting stem, or null.</summary>
    public static ParityKind? Of(string path) =>
        All.Where(kind =>
                Path.GetExtension(path) == kind.Extension && Path.GetFileName(path).StartsWith(kind.Stem, StringComparison.Ordinal)
            )
            .MaxBy(kind => kind.Stem.Length);

    /// <summary>Whether a file without a kind is worth a word.</summary>
    public static bool IsGoldenFile(string path) => Path.GetExtension(path) is ".safetensors" or ".pth";
}
