using RenderFarm.Inference.Gguf;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>gguf_*</c>: a GGUF file beside the golden one. Of <c>gguf_types</c> each tensor as decoded, to the last bit; of <c>gguf_dit</c> and
/// <c>gguf_umt5</c> what the modules make of the decoded weights, and the tokenizer that lies inside.
/// </summary>
internal static class GgufParity
{
    public static void CheckTypes(ParityFile file)
    {
        using var golden = file.Open();
        using var packed = GgufFile.Open(Path.ChangeExtension(file.Path, ".gguf"));
        foreach (var name in golden.Config("types").EnumerateObject().Select(type => type.Name).Order(StringComparer.Ordinal))
        {
            using var expected = golden.Output(name);
            using var decoded = packed.Load(name);
            using var exact = decoded.to(ScalarType.Float32, copy: true);
            file.Report.Compare(file.Name, "out." + name, expected, exact, limit: 0);
        }
    }

    public static void CheckTransformer(ParityFile file)
    {
        using var golden = file.Open();
        using var weights = Weights(golden, file, CheckpointKind.Transformer);
        TransformerParity.Check(file, golden, weights);
    }

    public static void CheckTextEncoder(ParityFile file)
    {
        using var golden = file.Open();
        using var weights = Weights(golden, file, CheckpointKind.TextEncoder);
        TextEncoderParity.Check(file, golden, weights);
        CheckTokenizer(file, golden);
    }

    private static OriginalSource Weights(GoldenFile golden, ParityFile file, CheckpointKind kind) =>
        OriginalSource.Of(CheckpointFiles.Open(PathOf(golden, file)), kind);

    private static string PathOf(GoldenFile golden, ParityFile file)
    {
        var name = golden.Config("weights").GetString();
        return name is not null && name == Path.GetFileName(name)
            ? Path.Combine(file.Directory, name)
            : throw new CheckpointException(file.Path, "config", $"'weights' is '{name}'; the name of a file beside this one is needed");
    }

    private static void CheckTokenizer(ParityFile file, GoldenFile golden)
    {
        using var source = CheckpointFiles.Open(PathOf(golden, file));
        var bytes =
            InnerTokenizer.Of(source) ?? throw new CheckpointException(source.Name, "tokenizer.ggml", "there is no tokenizer in it");
        var tokenizer = new SentencePieceTokenizer(SentencePieceModelReader.Read(bytes, source.Name));
        var cases = golden.Config("tokenizer_cases").EnumerateArray().ToList();
        var different = cases
            .Where(one =>
                !tokenizer
                    .Encode(one.GetProperty("text").GetString()!)
                    .SequenceEqual(one.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()))
            )
            .Select(one => one.GetProperty("text").GetString())
            .ToList();
        file.Report.Line(
            file.Name,
            "tokenizer_cases",
            different.Count == 0 ? $"{cases.Count} exact" : $"'{different[0]}' and {different.Count - 1} more of {cases.Count} differ",
            pass: different.Count == 0 && cases.Count > 0
        );
    }
}
