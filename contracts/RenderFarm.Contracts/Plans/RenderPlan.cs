using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Plans;

[JsonConverter(typeof(WordConverter<Precision>))]
public enum Precision
{
    [JsonStringEnumMemberName("fp32")]
    Fp32,

    [JsonStringEnumMemberName("bf16")]
    Bf16,

    /// <summary>Weights stored as e4m3 with a scale per output channel, cast up for each product.</summary>
    [JsonStringEnumMemberName("fp8-weights")]
    Fp8Weights,

    /// <summary>Activations quantised per token too; the product itself runs in fp8.</summary>
    [JsonStringEnumMemberName("fp8")]
    Fp8,

    /// <summary>Weights stored as int8 with a scale per output channel, cast up; e4m3 stays where the file has it.</summary>
    [JsonStringEnumMemberName("int8-weights")]
    Int8Weights,

    /// <summary>Activations quantised per token too; the product itself runs in int8.</summary>
    [JsonStringEnumMemberName("int8")]
    Int8,
}

/// <summary>What the tokens of a video attend to each other in.</summary>
[JsonConverter(typeof(WordConverter<AttentionPrecision>))]
public enum AttentionPrecision
{
    /// <summary>The type of the products' results: bf16 on a card, float32 on a CPU.</summary>
    [JsonStringEnumMemberName("full")]
    Full,

    /// <summary>int8 products of queries and keys, e4m3 products with the values, sums in float32.</summary>
    [JsonStringEnumMemberName("eight-bit")]
    EightBit,
}

[JsonConverter(typeof(WordConverter<TextEncoderPlacement>))]
public enum TextEncoderPlacement
{
    [JsonStringEnumMemberName("cpu")]
    Cpu,

    [JsonStringEnumMemberName("streamed")]
    Streamed,

    [JsonStringEnumMemberName("resident")]
    Resident,
}

/// <summary>What will be resident, what will be streamed, how much memory that takes and how long it runs.</summary>
public sealed record RenderPlan
{
    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public required string Device { get; init; }
    public required Precision Precision { get; init; }

    /// <summary>Plans of older workers say nothing and mean full.</summary>
    public AttentionPrecision Attention { get; init; }

    /// <summary>DiT blocks that stay on the device.</summary>
    public required int BlocksResident { get; init; }

    /// <summary>DiT blocks that come through the ring on every forward.</summary>
    public required int BlocksStreamed { get; init; }

    /// <summary>Bytes of blocks that come through the ring in one denoise step, as far as none of its forwards is left out.</summary>
    public long StreamedBytesPerStep { get; init; }

    /// <summary>Device buffers of one block each; 0 when nothing is streamed.</summary>
    public int RingSlots { get; init; }

    /// <summary>Tokens per FFN chunk; 0 means all at once.</summary>
    public int FfnChunkTokens { get; init; }
    public TextEncoderPlacement TextEncoder { get; init; }

    /// <summary>Side of a VAE tile in latent units; 0 means untiled.</summary>
    public int VaeTile { get; init; }

    /// <summary>The same for the encoder, where pictures are given.</summary>
    public int VaeEncodeTile { get; init; }

    /// <summary>Both guidance branches in one forward instead of two.</summary>
    public bool GuidanceBatched { get; init; }

    /// <summary>
    /// Device bytes of LoRAs that run beside streamed blocks; 0 where they are merged into the weights, or there are none.
    /// </summary>
    public long LoraBytes { get; init; }

    /// <summary>Device bytes of what a step cache keeps from one step to the next.</summary>
    public long StepCacheBytes { get; init; }

    /// <summary>Device bytes of the process: the pool's reserved high-water plus context and modules.</summary>
    public required long PredictedPeakBytes { get; init; }

    /// <summary>The same before any correction by measurements; null in plans of older workers, which corrected nothing.</summary>
    public long? UncorrectedPeakBytes { get; init; }

    /// <summary>Predicted peak of each stage, by stage name.</summary>
    public IReadOnlyDictionary<string, long> StagePeakBytes { get; set; } = new Dictionary<string, long>();

    /// <summary>Pinned or mapped host memory that the plan needs.</summary>
    public long HostBytes { get; init; }

    /// <summary>Of the way that products and attention are rounded, against float32, as a bench measured it; null when none did.</summary>
    public double? VelocityError { get; init; }
    public double PredictedStepSeconds { get; init; }

    /// <summary>The same before any correction by measurements.</summary>
    public double? UncorrectedStepSeconds { get; init; }

    /// <summary>Whole render, loading to last frame.</summary>
    public double PredictedSeconds { get; init; }
    public required bool Fits { get; init; }

    /// <summary>Why this plan, in words.</summary>
    public IReadOnlyList<string> Reasons { get; set; } = [];

    /// <summary>
    /// What sort of plan it is: <c>fp8 streamed ffn-chunked vae-tiled text-streamed</c>. Plans of one kind miss by the same
    /// factor, so measurements of one correct the next.
    /// </summary>
    [JsonIgnore]
    public string Kind => string.Join(' ', KindWords());

    private IEnumerable<string> KindWords()
    {
        yield return Word.Of(Precision);
        if (Attention == AttentionPrecision.EightBit)
        {
            yield return "eight-bit-attention";
        }

        yield return BlocksStreamed > 0 ? "streamed" : "resident";
        if (FfnChunkTokens > 0)
        {
            yield return "ffn-chunked";
        }

        if (VaeTile > 0)
        {
            yield return "vae-tiled";
        }

        if (GuidanceBatched)
        {
            yield return "guidance-batched";
        }

        if (LoraBytes > 0)
        {
            yield return "loras-beside";
        }

        if (StepCacheBytes > 0)
        {
            yield return "step-cached";
        }

        yield return $"text-{Word.Of(TextEncoder)}";
    }
}

/// <summary>Parts of a plan that a caller fixed; null leaves the choice to the planner.</summary>
public sealed record PlanPins
{
    public Precision? Precision { get; init; }
    public AttentionPrecision? Attention { get; init; }
    public int? BlocksStreamed { get; init; }
    public int? FfnChunkTokens { get; init; }
    public TextEncoderPlacement? TextEncoder { get; init; }
    public int? VaeTile { get; init; }
    public bool? GuidanceBatched { get; init; }
}

/// <summary>Rates of one card; what is missing is estimated from the card's name and size.</summary>
public sealed record CardCalibration
{
    /// <summary>What keys of rates begin with that nobody measured on the card itself.</summary>
    public const string EstimatePrefix = "estimate:";

    /// <summary>Card, driver and worker version the figures belong to (<see cref="KeyOf"/>). Of estimates, whence they are.</summary>
    public required string Key { get; init; }

    /// <summary>Not measured, but known of cards of its name.</summary>
    [JsonIgnore]
    public bool IsEstimate => Key.StartsWith(EstimatePrefix, StringComparison.Ordinal);

    public static string KeyOf(string card, string? driver, string version) =>
        driver is null ? $"{card} | {version}" : $"{card} | driver {driver} | {version}";

    public double? Bf16Flops { get; init; }

    /// <summary>Null until row-wise fp8 products ran correctly on the card.</summary>
    public double? Fp8Flops { get; init; }

    /// <summary>Null until calibration ran int8 products correctly on the card.</summary>
    public double? Int8Flops { get; init; }
    public double? AttentionFlops { get; init; }

    /// <summary>Rounding included. Null until eight-bit attention ran correctly on the card.</summary>
    public double? EightBitAttentionFlops { get; init; }
    public double? HostToDeviceBytesPerSecond { get; init; }

    /// <summary>Bytes a second through device memory.</summary>
    public double? MemoryBytesPerSecond { get; init; }

    /// <summary>Float32 product rate; what a CPU slot runs on.</summary>
    public double? Fp32Flops { get; init; }
}
