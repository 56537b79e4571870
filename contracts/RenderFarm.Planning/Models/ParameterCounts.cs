using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>How many parameters a shape has, component by component; the memory model stands on these.</summary>
public static class ParameterCounts
{
    /// <summary>One DiT block: the unit of streaming.</summary>
    public static long Block(TransformerShape shape)
    {
        long d = shape.Dim;
        long f = shape.FfnDim;
        var attention = 4 * Linear(d, d) + 2 * d;
        var image = shape.ImageBranch == ImageBranch.None ? 0 : 2 * Linear(d, d) + d;
        var crossNorm = 2 * d;
        var feedForward = Linear(d, f) + Linear(f, d);
        var modulation = 6 * d;
        return 2 * attention + image + crossNorm + feedForward + modulation;
    }

    /// <summary>The weights of a block that are matrices, and so may be stored in eight bits.</summary>
    public static long BlockMatrices(TransformerShape shape)
    {
        long d = shape.Dim;
        long f = shape.FfnDim;
        return (shape.ImageBranch == ImageBranch.None ? 8 : 10) * d * d + 2 * d * f;
    }

    /// <summary>What most published LoRAs have; those that distil a model to few steps have 32 to 128.</summary>
    public const int TypicalLoraRank = 64;

    /// <summary>A LoRA on every product of every block: a way down [r, in] and a way up [out, r] for each.</summary>
    public static long Lora(TransformerShape shape, int rank)
    {
        long d = shape.Dim;
        long f = shape.FfnDim;
        var square = shape.ImageBranch == ImageBranch.None ? 8 : 10;
        return shape.Layers * rank * ((square * 2 * d) + (2 * (d + f)));
    }

    /// <summary>Everything of a DiT but its blocks: embeddings, time path, head.</summary>
    public static long OutsideBlocks(TransformerShape shape)
    {
        long d = shape.Dim;
        var patch = Linear(shape.InChannels * 4, d);
        var text = Linear(shape.TextDim, d) + Linear(d, d);
        var time = TimeEmbedding(shape);
        var head = Linear(d, shape.OutChannels * 4) + 2 * d;
        return patch + text + time + head + ImageEmbedding(shape);
    }

    public static long TimeEmbedding(TransformerShape shape)
    {
        long d = shape.Dim;
        return Linear(shape.FrequencyDim, d) + Linear(d, d) + Linear(d, 6 * d);
    }

    /// <summary>One DiT (one expert).</summary>
    public static long Transformer(TransformerShape shape) => OutsideBlocks(shape) + shape.Layers * Block(shape);

    public static long TextEncoderLayer(TextEncoderShape shape) =>
        4L * shape.Dim * shape.AttentionDim + 3L * shape.Dim * shape.FfnDim + shape.Buckets * shape.Heads + 2L * shape.Dim;

    public static long TextEncoder(TextEncoderShape shape) =>
        (long)shape.Vocabulary * shape.Dim + shape.Layers * TextEncoderLayer(shape) + shape.Dim;

    public static long ImageEncoder(ImageEncoderShape shape)
    {
        long d = shape.Dim;
        var embedding = d * 3 * shape.PatchSize * shape.PatchSize + d + shape.Tokens * d;
        var layer = 4 * d + Linear(d, 3 * d) + Linear(d, d) + Linear(d, shape.FfnDim) + Linear(shape.FfnDim, d);
        return embedding + 2 * d + shape.Layers * layer + 2 * d + d * shape.OutDim;
    }

    /// <summary>Encoder, decoder and the two 1×1×1 convolutions between.</summary>
    public static long Vae(VaeShape shape) => VaeEncoder(shape) + VaeDecoder(shape);

    public static long VaeEncoder(VaeShape shape) =>
        VaeLayout.Encoder(shape).Sum(layer => layer.Parameters) + Linear(2 * shape.LatentChannels, 2 * shape.LatentChannels);

    public static long VaeDecoder(VaeShape shape) =>
        VaeLayout.Decoder(shape).Sum(layer => layer.Parameters) + Linear(shape.LatentChannels, shape.LatentChannels);

    private static long ImageEmbedding(TransformerShape shape)
    {
        if (shape.ImageBranch == ImageBranch.None)
        {
            return 0;
        }

        long clip = shape.ImageDim;
        var projection = 2 * clip + Linear(clip, clip) + Linear(clip, shape.Dim) + 2 * shape.Dim;
        return projection + (shape.ImageBranch == ImageBranch.ClipFirstLast ? 2L * shape.ImageTokens * clip : 0);
    }

    private static long Linear(long from, long to) => from * to + to;
}
