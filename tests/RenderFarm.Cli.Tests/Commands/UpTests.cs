using RenderFarm.Cli.Commands;
using RenderFarm.Cli.Farm;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary><c>up</c> on a home that has a farm.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class UpTests : VerbsUnderTest
{
    [Fact]
    public async Task Up_ASecondFarmOnAHome_SaysWhoRunsThereAndStartsNothing()
    {
        var before = Environment.GetEnvironmentVariable(FarmHome.Variable);
        var launched = false;
        using var held = HomeLock.Take(FarmHome.Of(Folder.Path), "http://127.0.0.1:8080");
        var there = Directory.GetFileSystemEntries(Folder.Path).Order(StringComparer.Ordinal);
        try
        {
            Environment.SetEnvironmentVariable(FarmHome.Variable, Folder.Path);
            var root = FarmCommand.Create(
                Console,
                Errors,
                TimeProvider.System,
                _ =>
                {
                    launched = true;
                    return 0;
                }
            );

            Assert.Equal(
                ExitCodes.Failure,
                await root.Parse(["up"]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken)
            );
        }
        finally
        {
            Environment.SetEnvironmentVariable(FarmHome.Variable, before);
        }

        Assert.False(launched, "nothing may be built or installed for a farm that is not going to start");
        Assert.Equal(there, Directory.GetFileSystemEntries(Folder.Path).Order(StringComparer.Ordinal));
        Assert.Contains(
            $"already_running: a farm runs here already: process {Environment.ProcessId}, http://127.0.0.1:8080",
            Errors.ToString(),
            StringComparison.Ordinal
        );
    }
}
