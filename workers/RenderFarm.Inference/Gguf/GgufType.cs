using System.Collections.Frozen;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Gguf;

/// <summary>How a tensor of a GGUF file is stored: its elements in blocks along the last axis.</summary>
/// <param name="Code">The format's number for it.</param>
/// <param name="Plain">What it is where a block is one element; null where blocks have to be decoded.</param>
/// <param name="Decode">Blocks at an address → that many blocks of float32 at another.</param>
internal sealed unsafe record GgufType(
    uint Code,
    string Name,
    int Elements,
    int Bytes,
    ElementType? Plain,
    GgufType.Decoder? Decode
)
{
    public delegate void Decoder(byte* block, long blocks, float* values);

    public static FrozenDictionary<uint, GgufType> All { get; } =
        new[]
        {
            Of(0, "F32", ScalarType.Float32, 4),
            Of(1, "F16", ScalarType.Float16, 2),
            Of(30, "BF16", ScalarType.BFloat16, 2),
            new GgufType(2, "Q4_0", 32, 18, null, GgufBlocks.Q4_0),
            new GgufType(3, "Q4_1", 32, 20, null, GgufBlocks.Q4_1),
            new GgufType(6, "Q5_0", 32, 22, null, GgufBlocks.Q5_0),
            new GgufType(7, "Q5_1", 32, 24, null, GgufBlocks.Q5_1),
            new GgufType(8, "Q8_0", 32, 34, null, GgufBlocks.Q8_0),
            new GgufType(10, "Q2_K", 256, 84, null, GgufBlocks.Q2_K),
            new GgufType(11, "Q3_K", 256, 110, null, GgufBlocks.Q3_K),
            new GgufType(12, "Q4_K", 256, 144, null, GgufBlocks.Q4_K),
            new GgufType(13, "Q5_K", 256, 176, null, GgufBlocks.Q5_K),
            new GgufType(14, "Q6_K", 256, 210, null, GgufBlocks.Q6_K),
            new GgufType(20, "IQ4_NL", 32, 18, null, GgufBlocks.Iq4Nl),
            new GgufType(23, "IQ4_XS", 256, 136, null, GgufBlocks.Iq4Xs),
        }.ToFrozenDictionary(type => type.Code);

    /// <summary>Types that the format has or had and that are not read.</summary>
    private static readonly FrozenDictionary<uint, string> Others = new Dictionary<uint, string>
    {
        [4] = "Q4_2, which was removed from the format",
        [5] = "Q4_3, which was removed from the format",
        [9] = "Q8_1",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [24] = "I8",
        [25] = "I16",
        [26] = "I32",
        [27] = "I64",
        [28] = "F64",
        [29] = "IQ1_M",
        [31] = "Q4_0_4_4, which was removed from the format",
        [32] = "Q4_0_4_8, which was removed from the format",
        [33] = "Q4_0_8_8, which was removed from the format",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
        [36] = "IQ4_NL_4_4, which was removed from the format",
        [37] = "IQ4_NL_4_8, which was removed from the format",
        [38] = "IQ4_NL_8_8, which was removed from the format",
        [39] = "MXFP4",
    }.ToFrozenDictionary();

    /// <summary>As entries of tensors have it; null for plain types.</summary>
    public PackedType? Packed => Plain is null ? new PackedType(Name, Elements, Bytes) : null;

    /// <summary>Of a code that is none of <see cref="All"/>, in words.</summary>
    public static string WhyNot(uint code) =>
        $"is stored as {Others.GetValueOrDefault(code) ?? $"type {code}, which is unknown"}; read are "
        + $"{string.Join(", ", All.Values.OrderBy(type => type.Code).Select(type => type.Name))}";

    private static GgufType Of(uint code, string name, ScalarType type, int bytes) => new(code, name, 1, bytes, ElementType.Of(type), null);
}
