using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Checkpoints.Scanning;

/// <summary>A checkpoint as it was found.</summary>
/// <param name="Files">One, or its shards; full paths.</param>
/// <param name="Relative">The first file's path within the scanned folder.</param>
public sealed record FoundCheckpoint(IReadOnlyList<string> Files, string Relative, CheckpointDescription Description)
{
    public ExpertRole Role => NameSigns.RoleOf(Relative);
}

/// <param name="File">A SentencePiece model, or a text encoder's checkpoint that has one inside.</param>
public sealed record FoundTokenizer(string File, int Pieces, bool Inside);

/// <param name="Reason">Why the file is of no use, in words.</param>
public sealed record UnusableFile(string File, string Reason);

/// <summary>Everything in a folder that may be part of a model, recognised from headers: keys, types and shapes.</summary>
public sealed record FolderScan(
    IReadOnlyList<FoundCheckpoint> Checkpoints,
    IReadOnlyList<FoundTokenizer> Tokenizers,
    IReadOnlyList<UnusableFile> Unusable
)
{
    public static FolderScan Of(string folder)
    {
        var checkpoints = new List<FoundCheckpoint>();
        var tokenizers = new List<FoundTokenizer>();
        var unusable = new List<UnusableFile>();
        foreach (var files in ModelFolder.Checkpoints(folder))
        {
            try
            {
                if (ModelFolder.MissingShards(files) is { Count: > 0 } missing)
                {
                    throw new CheckpointException(
                        files[0],
                        "shards",
                        $"number {string.Join(", ", missing)} of it {(missing.Count == 1 ? "is" : "are")} missing"
                    );
                }

                using var source = CheckpointFiles.Open(files);
                foreach (var description in CheckpointRecognition.DescribeAll(source))
                {
                    checkpoints.Add(new FoundCheckpoint(files, Path.GetRelativePath(folder, files[0]), description));
                }

                if (InnerTokenizer.Of(source) is { } inside)
                {
                    var pieces = SentencePieceModelReader.Read(inside, files[0]).Pieces.Count;
                    tokenizers.Add(new FoundTokenizer(files[0], pieces, Inside: true));
                }
            }
            catch (Exception e) when (e is CheckpointException or SentencePieceFormatException)
            {
                unusable.Add(new UnusableFile(files[0], e.Message));
            }
        }
        foreach (var file in ModelFolder.Tokenizers(folder))
        {
            try
            {
                tokenizers.Add(new FoundTokenizer(file, SentencePieceModelReader.Read(file).Pieces.Count, Inside: false));
            }
            catch (Exception e) when (e is SentencePieceFormatException or IOException or UnauthorizedAccessException)
            {
                unusable.Add(new UnusableFile(file, e.Message));
            }
        }
        return new FolderScan(checkpoints, tokenizers, unusable);
    }

    /// <summary>The SentencePiece model of a found tokenizer.</summary>
    public static byte[] Read(FoundTokenizer tokenizer)
    {
        if (!tokenizer.Inside)
        {
            return File.ReadAllBytes(tokenizer.File);
        }

        using var source = CheckpointFiles.Open(tokenizer.File);
        return InnerTokenizer.Of(source) ?? throw new CheckpointException(tokenizer.File, "tokenizer", "is not in it any more");
    }
}
