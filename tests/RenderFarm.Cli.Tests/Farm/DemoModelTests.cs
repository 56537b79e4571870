using System.Text.Json;
using RenderFarm.Cli.Farm;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Farm;

/// <summary>On a few bytes under the names of the model's files.</summary>
public sealed class DemoModelTests : IDisposable
{
    private static readonly string[] Files = ["dit.safetensors", "google/spiece.model", ModelManifest.FileName];

    private readonly TemporaryFolder _folder = new();
    private readonly TestConsole _console = new();
    private readonly FarmPrograms _programs;
    private readonly FarmHome _home;

    public DemoModelTests()
    {
        _programs = new FarmPrograms("", "", "", _folder.File("shipped"));
        _home = new FarmHome(_folder.File("home"));
        Directory.CreateDirectory(Path.GetDirectoryName(Shipped(Files[1]))!);
        foreach (var file in Files[..2])
        {
            File.WriteAllText(Shipped(file), $"what {file} holds");
        }

        var manifest = new ModelManifest
        {
            Shape = ModelShapes.Demo,
            Note = "shapes",
            Files = new ModelFiles
            {
                Transformer = [],
                TextEncoder = [],
                Tokenizer = Files[1],
                Vae = [],
            },
        };
        File.WriteAllText(Shipped(ModelManifest.FileName), JsonSerializer.Serialize(manifest, ContractsJson.Default.ModelManifest));
    }

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task EnsureAsync_FreshHome_IsCopiedOnce()
    {
        Assert.Equal("shapes", (await EnsureAsync()).Note);
        await EnsureAsync();

        Assert.Equal(Files.Select(Shipped).Select(File.ReadAllText), Files.Select(Kept).Select(File.ReadAllText));
        Assert.Single(_console.Lines, line => line.StartsWith("Copying", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("what dit.safetensors hold")] // Cut short
    [InlineData("what dit.safetensors holds")] // Gone
    [InlineData("what dit.safetensors h0lds")] // A byte of another value
    [InlineData("")]
    public async Task EnsureAsync_DamagedFile_IsCopiedAgainAndNothingElseTouched(string damaged)
    {
        await EnsureAsync();
        var (file, other, own) = (Kept(Files[0]), Kept(Files[1]), Kept("loras/mine.safetensors"));
        if (damaged == File.ReadAllText(file))
        {
            File.Delete(file);
        }
        else
        {
            await File.WriteAllTextAsync(file, damaged, TestContext.Current.CancellationToken);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(own)!);
        await File.WriteAllTextAsync(own, "somebody's", TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(other, DateTime.UnixEpoch);

        await EnsureAsync();

        Assert.Equal(File.ReadAllText(Shipped(Files[0])), File.ReadAllText(file));
        Assert.Equal("somebody's", File.ReadAllText(own));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(other));
        Assert.Equal(4, Directory.EnumerateFiles(Kept("."), "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task EnsureAsync_ManyAtOnce_AllFindIt()
    {
        var models = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        using var console = new TestConsole(); // Each its own: a console is no place for several threads
                        return await DemoModel.EnsureAsync(_home, _programs, console, TestContext.Current.CancellationToken);
                    })
                )
        );

        Assert.All(models, model => Assert.Equal("shapes", model.Note));
        Assert.Equal(3, Directory.EnumerateFiles(Kept("."), "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task EnsureAsync_WhereItCannotBeKept_SaysWhereAndHowToNameAnotherPlace()
    {
        Directory.CreateDirectory(_home.Models);
        await File.WriteAllTextAsync(Path.Combine(_home.Models, "demo"), "a file", TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<FarmException>(EnsureAsync);

        Assert.Equal("home_not_writable", error.Code);
        Assert.Contains(_home.Models, error.Message, StringComparison.Ordinal);
        Assert.Contains(FarmHome.Variable, error.Message, StringComparison.Ordinal);
    }

    private Task<ModelManifest> EnsureAsync() => DemoModel.EnsureAsync(_home, _programs, _console, TestContext.Current.CancellationToken);

    private string Shipped(string file) => Path.Combine(_programs.Models, "demo", file);

    private string Kept(string file) => Path.Combine(_home.Models, "demo", file);
}
