using System.Globalization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Tests.Checkpoints.Fuzzing;

/// <summary>
/// Files that lie. Whatever a checkpoint says of itself, opening, recognising and loading it ends well or in a
/// <see cref="CheckpointException"/> that names the file and the place, with memory in proportion to the file.
/// </summary>
public sealed class CheckpointFuzzTests : IDisposable
{
    private const long MostBytes = 96 << 20;
    private static readonly string Corpus = Path.Combine(GoldenFiles.Directory, "..", "fuzz", "checkpoints");

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Corpus).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Open_FileOfTheCorpus_EndsWellOrNamesTheFileAndThePlace(string file)
    {
        var fault = Open(Path.Combine(Corpus, file));

        var good =
            file.StartsWith("good", StringComparison.Ordinal)
            || file is "wrapped.pth" or "billion-by-zero.safetensors" or "dit.safetensors" or "lora.safetensors";
        // A dimension of a billion beside one of nothing takes no memory; what is described there is only part of a model
        Assert.True(good == fault is null, fault?.Message ?? "was taken for good");
        if (fault is null)
        {
            return;
        }

        Assert.Contains(file.Replace(".index.json", "", StringComparison.Ordinal), fault.Message, StringComparison.Ordinal);
        Assert.NotEmpty(fault.Field);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Open_MutationsOfTheCorpus_EndWellOrNameThePlace(string file)
    {
        var rounds = int.Parse(Environment.GetEnvironmentVariable("RENDERFARM_FUZZ_ROUNDS") ?? "40", CultureInfo.InvariantCulture);
        var original = File.ReadAllBytes(Path.Combine(Corpus, file));
        File.Copy(Path.Combine(Corpus, "good.safetensors"), _folder.File("good.safetensors")); // Indexes refer to it
        var path = _folder.File("mutated" + file[file.IndexOf('.')..]);
        for (var seed = 0; seed < rounds; seed++)
        {
            File.WriteAllBytes(path, Mutations.Of(original, seed));
            try
            {
                Open(path);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{file}, seed {seed}: add this mutation to the corpus", e);
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Everything that is done with a file that somebody brings.</summary>
    private static CheckpointException? Open(string path)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using var source = CheckpointFiles.Open(path);
            foreach (var (name, entry) in source.Entries)
            {
                Assert.True(entry.Bytes <= 1 << 26, $"{entry} is more than any file here holds");
                source.Load(name).Dispose();
            }
            CheckpointRecognition.DescribeAll(source);
            ReadTokenizer(source);
            if (LoraFile.Holds(source.Entries.Keys))
            {
                Resolve(path);
            }

            return null;
        }
        catch (CheckpointException e)
        {
            return e;
        }
        finally
        {
            var taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(
                taken < MostBytes + (100 * new FileInfo(path).Length),
                $"{taken:N0} bytes for a file of {new FileInfo(path).Length:N0}"
            );
        }
    }

    private static void ReadTokenizer(ITensorSource source)
    {
        try
        {
            InnerTokenizer.Of(source);
        }
        catch (SentencePieceFormatException)
        {
            // It names the piece
        }
    }

    private static void Resolve(string path)
    {
        try
        {
            LoraSet.Resolve([new NamedLora("mutated", 1, CheckpointFiles.Open(path))], ModelShapes.Tiny.Transformer).Dispose();
        }
        catch (CheckpointException)
        {
            // It is for another architecture, and says so
        }
    }
}
