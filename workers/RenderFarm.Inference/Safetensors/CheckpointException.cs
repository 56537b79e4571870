namespace RenderFarm.Inference.Safetensors;

/// <summary>A checkpoint that can't be used. The message names the file, the place in it and what is wrong there.</summary>
public sealed class CheckpointException(string file, string field, string reason, Exception? inner = null)
    : Exception($"{file}: {field}: {reason}", inner)
{
    public string File { get; } = file;

    /// <summary>A tensor's name, or the part of the file: <c>header</c>, <c>data</c>, <c>pickle</c>.</summary>
    public string Field { get; } = field;

    /// <summary>A file that could not be opened.</summary>
    public static CheckpointException Unreadable(string file, Exception fault) =>
        new(file, "file", fault is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : fault.Message, fault);
}
