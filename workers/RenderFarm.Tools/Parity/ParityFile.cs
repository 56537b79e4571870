using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>One file under check, and where its lines go.</summary>
internal sealed record ParityFile(string Path, Device Device, ParityReport Report)
{
    public string Name => System.IO.Path.GetFileName(Path);

    public string Directory => System.IO.Path.GetDirectoryName(Path)!;

    public GoldenFile Open() => GoldenFile.Open(Path, Device);

    /// <summary>Another golden file of the same folder, by its stem.</summary>
    public GoldenFile OpenSibling(string stem) => GoldenFile.Open(System.IO.Path.Combine(Directory, stem + ".safetensors"), Device);

    /// <summary>Compares what was computed with <c>out.NAME</c>.</summary>
    public void Compare(GoldenFile golden, string name, Tensor actual)
    {
        using var expected = golden.Output(name);
        Report.Compare(Name, "out." + name, expected, actual);
    }

    /// <summary>All outputs that a line is owed for; none where the file can't be read.</summary>
    internal IReadOnlyList<string> OutputsOf()
    {
        if (!Name.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            return [];
        }

        try
        {
            using var file = SafetensorsFile.Open(Path);
            return [.. file.Entries.Keys.Where(name => name.StartsWith("out.", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        }
        catch (CheckpointException)
        {
            return []; // The check itself has met the same fault, and said so
        }
    }
}
