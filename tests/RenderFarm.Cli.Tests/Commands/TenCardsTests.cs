using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>The README's table of ten cards is what the verb prints.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class TenCardsTests : VerbsUnderTest
{
    private const string Prompt = "$ ./farm ";

    [Fact]
    public async Task Readme_TablesOfTenCards_AreWhatIsPrinted()
    {
        var path = Path.Combine(Checkout.Path, "README.md");
        var readme = (await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken)).ToList();
        var asked = readme.FindAll(line => line.StartsWith(Prompt + "plan --card all", StringComparison.Ordinal));
        Assert.Equal(2, asked.Count);
        foreach (var line in asked)
        {
            var before = Console.Output.Length;
            Assert.Equal(0, await RunAsync(line[Prompt.Length..].Split(' ')));
            var printed = Console.Output[before..].TrimEnd().Split('\n').Select(row => row.TrimEnd()).ToList();
            Assert.Equal(11, printed.Count);
            Assert.Equal(printed, readme.Skip(readme.IndexOf(line) + 1).Take(printed.Count));
        }
    }

    [Fact]
    public async Task Plan_AllCardsOfOneSize_IsRefused()
    {
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", "--card", "all", "--vram", "24"));
        Assert.Contains("--vram", Errors.ToString(), StringComparison.Ordinal);
    }
}
