using RenderFarm.Cli.Errands;
using RenderFarm.Cli.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class FarmProgramsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Find_InstalledSideBySide_TakesThoseAndTheModelsOfTheInstallation()
    {
        var cli = Install("api", "worker", "renderer", "tools", "cli");

        var found = FarmPrograms.Find(cli);

        Assert.Equal(
            new FarmPrograms(
                Path.Combine(_folder.Path, "lib", "api", "RenderFarm.Api"),
                Path.Combine(_folder.Path, "lib", "worker", "RenderFarm.Worker"),
                Path.Combine(_folder.Path, "lib", "renderer", "RenderFarm.Renderer"),
                Path.Combine(_folder.Path, "models")
            ),
            found
        );
    }

    [Fact]
    public void Find_OnlySomeInstalled_IsNoInstallation() =>
        Assert.Equal("not_built", Assert.Throws<FarmException>(() => FarmPrograms.Find(Install("api", "cli"))).Code);

    [Fact]
    public void InstalledProgram_VerbOfTheTools_IsRunAsItIs()
    {
        var cli = Install("tools", "renderer", "cli");

        var (program, arguments) = Launcher.InstalledProgram(
            ["build=apps", "ffmpeg", "--", "workers/RenderFarm.Tools", "models", "verify", "/m"],
            cli
        )!.Value;

        Assert.Equal(Path.Combine(_folder.Path, "lib", "tools", "RenderFarm.Tools"), program);
        Assert.Equal(["models", "verify", "/m"], arguments);
    }

    [Theory]
    [InlineData("--", "deploy/scripts/test.sh")]
    [InlineData("build=tests", "--", "tests/RenderFarm.Chaos", "--faults", "3")]
    [InlineData("build=apps", "--")]
    public void InstalledProgram_VerbForDevelopers_IsNone(params string[] words) =>
        Assert.Null(Launcher.InstalledProgram(words, Install("tools", "renderer", "cli")));

    /// <returns>The folder of the command line.</returns>
    private string Install(params string[] parts)
    {
        foreach (var part in parts)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "lib", part)).FullName;
            File.WriteAllText(Path.Combine(folder, $"RenderFarm.{char.ToUpperInvariant(part[0])}{part[1..]}"), "");
        }

        return Path.Combine(_folder.Path, "lib", "cli") + Path.DirectorySeparatorChar;
    }
}
