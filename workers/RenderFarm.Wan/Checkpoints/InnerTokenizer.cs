using RenderFarm.Inference.Gguf;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>The SentencePiece model that single files of text encoders keep inside: as a tensor, or in the metadata of a GGUF.</summary>
public static class InnerTokenizer
{
    private const string TensorName = "spiece_model";
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>As the bytes of a <c>.model</c> file; null where there is none.</summary>
    /// <exception cref="CheckpointException">What is there is none.</exception>
    /// <exception cref="SentencePieceFormatException">What is there can't be used.</exception>
    public static byte[]? Of(ITensorSource source) =>
        source.Entries.Keys.FirstOrDefault(key => key.EndsWith(TensorName, StringComparison.Ordinal)) is { } tensor
            ? OfTensor(source, tensor)
        : source is GgufCheckpoint gguf ? OfMetadata(gguf)
        : null;

    private static byte[] OfTensor(ITensorSource source, string tensor)
    {
        const long Most = 64 << 20;
        var entry = source.Entries[tensor];
        if (entry.Bytes is 0 or > Most || entry.Type.Bytes != 1)
        {
            throw new CheckpointException(source.Name, tensor, $"{entry} is no SentencePiece model");
        }

        using var stored = source.Load(tensor);
        return stored.bytes.ToArray();
    }

    /// <summary>Of other kinds of tokenizers than T5's there is nothing to make.</summary>
    private static byte[]? OfMetadata(GgufCheckpoint gguf)
    {
        var file = gguf.File;
        if (gguf.Metadata.GetValueOrDefault(Prefix + "model") != "t5" || file.Texts(Prefix + "tokens") is not { Count: > 0 } texts)
        {
            return null;
        }

        var scores = Each(file, "scores", texts.Count);
        var types = Each(file, "token_type", texts.Count);
        int Id(string name, int otherwise) =>
            Setting(gguf, name) is { } text && int.TryParse(text, out var id) && id >= 0 ? id : otherwise;
        bool Switch(string name) => Setting(gguf, name) != "false";
        var model = new SentencePieceModel
        {
            Pieces = [.. texts.Select((text, id) => new Piece(text, (float)scores[id], (PieceType)(int)types[id]))],
            ByteFallback = types.Contains((double)PieceType.Byte),
            EndId = Id("eos_token_id", 1),
            PadId = Id("padding_token_id", -1),
            CharsMap = file.Bytes(Prefix + "precompiled_charsmap") ?? [],
            NormalizerName = "nmt_nfkc",
            AddDummyPrefix = Switch("add_space_prefix"),
            RemoveExtraWhitespaces = Switch("remove_extra_whitespaces"),
        };
        var bytes = SentencePieceModelWriter.Write(model);
        SentencePieceModelReader.Read(bytes, gguf.Name); // Whatever encoding relies on is checked there
        return bytes;
    }

    private static string? Setting(GgufCheckpoint gguf, string name) => gguf.Metadata.GetValueOrDefault(Prefix + name);

    private static IReadOnlyList<double> Each(GgufFile file, string name, int pieces) =>
        file.Numbers(Prefix + name) is { } numbers && numbers.Count == pieces
            ? numbers
            : throw new CheckpointException(file.Name, Prefix + name, $"has no number for each of the {pieces} tokens");
}
