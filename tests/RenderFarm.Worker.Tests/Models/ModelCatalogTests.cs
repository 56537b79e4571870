using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Models;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ModelCatalog _catalog;

    public ModelCatalogTests() =>
        _catalog = new ModelCatalog(Options.Create(new ModelsOptions { Directory = _folder.Path }), NullLogger<ModelCatalog>.Instance);

    [Fact]
    public async Task Scan_Folders_FindsModelsWithFullPathsAndSkipsBrokenManifests()
    {
        Install("tiny", ModelShapes.Tiny, "same header");
        Directory.CreateDirectory(_folder.File("broken"));
        await File.WriteAllTextAsync(Path.Combine(_folder.File("broken"), "model.json"), "{", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_folder.File("no-model"));

        Assert.True(await ScanAsync());

        var model = Assert.Single(_catalog.Models).Value;
        Assert.Equal("tiny", model.Shape.Id);
        Assert.Equal(Path.Combine(_folder.Path, "tiny", "dit.safetensors"), model.Files.Transformer[0]);
        Assert.Equal(
            ["text_encoder", "tokenizer", "transformer", "vae"],
            model.Registration.Fingerprints.Keys.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Scan_NothingChanged_SaysSo()
    {
        Install("tiny", ModelShapes.Tiny, "same header");

        Assert.True(await ScanAsync());
        Assert.False(await ScanAsync());
        Install("demo", ModelShapes.Demo, "another");
        Assert.True(await ScanAsync());
        Assert.Equal(["demo", "tiny"], _catalog.Models.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Scan_OtherHeaderOrLength_GivesAnotherFingerprint()
    {
        var one = await FingerprintAsync("header a", 8);
        Assert.Equal(one, await FingerprintAsync("header a", 8));
        Assert.NotEqual(one, await FingerprintAsync("header b", 8));
        Assert.NotEqual(one, await FingerprintAsync("header a", 16));
    }

    [Theory]
    [InlineData("BF16", WeightStorage.Full)]
    [InlineData("F8_E4M3", WeightStorage.Float8)]
    [InlineData("I8", WeightStorage.Int8)]
    public async Task Scan_Blocks_SaysWhatTheyAreStoredIn(string type, WeightStorage expected)
    {
        Install(
            "tiny",
            ModelShapes.Tiny,
            $$"""
            {
              "__metadata__": {"a": "b"},
              "head.weight": {"dtype": "F32", "shape": [9999], "data_offsets": [0, 4]},
              "blocks.0.norm.weight": {"dtype": "F32", "shape": [16], "data_offsets": [0, 4]},
              "blocks.0.q.weight": {"dtype": "{{type}}", "shape": [16, 16], "data_offsets": [0, 4]}
            }
            """
        );

        await ScanAsync();

        Assert.Equal(expected, _catalog.Models["tiny"].Registration.StoredIn);
    }

    [Fact]
    public async Task Scan_DamagedFile_KeepsTheModelSoThatItsJobsFailWithTheReason()
    {
        Install("tiny", ModelShapes.Tiny, "header");
        await File.WriteAllBytesAsync(
            Path.Combine(_folder.File("tiny"), "vae.safetensors"),
            [1, 2, 3],
            TestContext.Current.CancellationToken
        );
        File.Delete(Path.Combine(_folder.File("tiny"), "t5.safetensors"));

        await ScanAsync();

        var fingerprints = _catalog.Models["tiny"].Registration.Fingerprints;
        Assert.Equal(("unreadable", "unreadable"), (fingerprints["vae"], fingerprints["text_encoder"]));
        Assert.NotEqual("unreadable", fingerprints["transformer"]);
        Assert.Equal(
            [
                ("text_encoder", "t5.safetensors", ModelFileState.Missing),
                ("tokenizer", "spiece.model", ModelFileState.There),
                ("transformer", "dit.safetensors", ModelFileState.There),
                ("vae", "vae.safetensors", ModelFileState.Damaged),
            ],
            _catalog.Models["tiny"].Registration.Files.Select(file => (file.Component, file.Name, file.State)).Order()
        );
        Assert.Equal(6, _catalog.Models["tiny"].Registration.Files.Single(file => file.Name == "spiece.model").SizeBytes);
    }

    /// <summary>A text encoder as it is published has 11 GB, more than any array: the file is sparse, and so costs nothing.</summary>
    [Fact]
    public async Task Scan_PyTorchCheckpointLargerThanAnArray_IsToldApartByItsEnds()
    {
        var path = _folder.File("large.pth");
        await using (var file = File.Create(path))
        {
            file.SetLength(6L << 30);
        }

        var before = await CheckpointFingerprint.OfAsync([path], TestContext.Current.CancellationToken);
        await using (var file = File.OpenWrite(path))
        {
            file.Seek(-10, SeekOrigin.End);
            file.WriteByte(1);
        }

        Assert.NotEqual(before, await CheckpointFingerprint.OfAsync([path], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Scan_NoFolderYet_HasNoModels()
    {
        var catalog = new ModelCatalog(
            Options.Create(new ModelsOptions { Directory = _folder.File("later") }),
            NullLogger<ModelCatalog>.Instance
        );

        Assert.False(await catalog.ScanAsync(TestContext.Current.CancellationToken));
        Assert.Empty(catalog.Models);
    }

    public void Dispose() => _folder.Dispose();

    private Task<bool> ScanAsync() => _catalog.ScanAsync(TestContext.Current.CancellationToken);

    private async Task<string> FingerprintAsync(string header, int dataBytes)
    {
        Install("tiny", ModelShapes.Tiny, header, dataBytes);
        await ScanAsync();
        return _catalog.Models["tiny"].Registration.Fingerprints["transformer"];
    }

    private void Install(string name, ModelShape shape, string header, int dataBytes = 4)
    {
        var folder = _folder.File(name);
        Directory.CreateDirectory(folder);
        var file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        System.Text.Encoding.ASCII.GetBytes(header, file.AsSpan(8));
        foreach (var part in new[] { "dit", "t5", "vae" })
        {
            File.WriteAllBytes(Path.Combine(folder, part + ".safetensors"), file);
        }

        File.WriteAllText(Path.Combine(folder, "spiece.model"), "pieces");
        ModelOnDisk.WriteManifest(folder, shape);
    }
}
