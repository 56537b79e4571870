using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Hosting.Folders;
using RenderFarm.Renderer.Tests;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Tools.Models;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Tests.Models;

/// <summary>The <c>models</c> verbs as a person meets them.</summary>
public sealed class ModelsVerbTests(RandomTinyModel model) : IClassFixture<RandomTinyModel>
{
    [Fact]
    public async Task MakeRandom_Tiny_WritesTheSameModelAgainAndVerifyAgrees()
    {
        using var folder = new TemporaryFolder();
        var (code, _, errors) = await RunAsync("models", "make-random", "tiny", folder.Path, "--seed", "1");

        Assert.True(code == 0, errors);
        foreach (var file in Directory.EnumerateFiles(model.Folder, "*", SearchOption.AllDirectories))
        {
            var written = Path.Combine(folder.Path, Path.GetRelativePath(model.Folder, file));
            Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(written)), written);
        }
        Assert.Equal(0, (await RunAsync("models", "verify", folder.Path)).Code);
    }

    [Fact]
    public async Task MakeRandom_UnknownPreset_NamesThoseThereAre()
    {
        using var folder = new TemporaryFolder();
        var (code, _, errors) = await RunAsync("models", "make-random", "t2v-15b", folder.Path);

        Assert.Equal(VerbProgram.Wrong, code);
        Assert.Contains("t2v-14b", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void MakeRandom_NoRoomForIt_SaysHowMuchItNeedsAndWritesNothing()
    {
        using var folder = new TemporaryFolder();

        var fault = Assert.Throws<VerbException>(() =>
            MakeRandom.Run("tiny", folder.Path, 1, force: false, new FreeSpace(_ => new DiskRoom(1_000_000, 2_000_000)))
        );

        Assert.StartsWith("tiny needs 0.", fault.Message, StringComparison.Ordinal);
        Assert.Contains("0.001 GB are free", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task MakeRandom_FolderHoldsAModel_Refuses()
    {
        var (code, _, errors) = await RunAsync("models", "make-random", "tiny", model.Folder);

        Assert.Equal(VerbProgram.Wrong, code);
        Assert.Contains("--force", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ModelFolder_RecognisesEveryPart()
    {
        var (code, output, errors) = await RunAsync("models", "inspect", model.Folder, "--json");

        Assert.True(code == 0, errors);
        using var json = JsonDocument.Parse(output);
        Assert.Equal(
            ["text_encoder", "transformer", "vae"],
            json.RootElement.EnumerateArray().Select(d => d.GetProperty("kind").GetString()).Order()
        );
        Assert.All(json.RootElement.EnumerateArray(), d => Assert.Equal("tiny", d.GetProperty("models")[0].GetString()));
    }

    [Fact]
    public async Task Verify_TruncatedFile_Fails()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(model.Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder.Path, Path.GetRelativePath(model.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        using (var vae = File.OpenWrite(folder.File("Wan2.1_VAE.safetensors")))
        {
            vae.SetLength(vae.Length - 4);
        }

        var (code, output, _) = await RunAsync("models", "verify", folder.Path);

        Assert.Equal(VerbProgram.Failed, code);
        Assert.Contains("cut short", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scan_ModelThatShips_IsCompleteAndVerified()
    {
        using var folder = new TemporaryFolder();
        var (code, output, errors) = await RunAsync(
            "models",
            "scan",
            Path.Combine(BuiltPrograms.Root, "deploy", "models"),
            "--into",
            folder.Path
        );

        Assert.True(code == 0, output + errors);
        Assert.DoesNotContain("missing", output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("models", "verify", folder.File("demo"))).Code);
    }

    [Theory]
    [InlineData]
    [InlineData("nonsense")]
    [InlineData("models")]
    [InlineData("models", "inspect")]
    [InlineData("models", "inspect", "/nowhere")]
    [InlineData("render", "--device", "tpu")]
    public async Task Arguments_ThatMakeNoSense_ExitWithTwoAndSayWhatWould(params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);

        Assert.Equal(VerbProgram.Wrong, code);
        Assert.Empty(output);
        Assert.NotEmpty(errors);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new ProcessStartInfo(ToolsProgram.File, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
