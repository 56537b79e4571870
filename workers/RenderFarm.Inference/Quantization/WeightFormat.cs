namespace RenderFarm.Inference.Quantization;

/// <summary>How prepared weights are stored, and with that how their products run.</summary>
public enum WeightFormat
{
    /// <summary>bf16, products in bf16.</summary>
    BFloat16,

    /// <summary>e4m3 with a scale per output channel, cast up to bf16 for each product.</summary>
    Float8Stored,

    /// <summary>The same bytes; activations are quantised per token and the product runs in e4m3.</summary>
    Float8,

    /// <summary>int8 with a scale per output channel, cast up to bf16 for each product.</summary>
    Int8Stored,

    /// <summary>The same bytes; activations are quantised per token and the product runs in int8, summed in int32.</summary>
    Int8,
}
