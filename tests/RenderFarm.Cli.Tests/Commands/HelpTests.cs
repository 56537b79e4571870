using System.CommandLine;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>What a shell and a reader are helped with.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class HelpTests : VerbsUnderTest
{
    [Theory]
    [InlineData("bash", "complete -o default -F _farm")]
    [InlineData("zsh", "compdef _farm")]
    [InlineData("fish", "complete -c farm")]
    public async Task Completion_OfEachShell_IsAScript(string shell, string holds)
    {
        Assert.Equal(0, await RunAsync("completion", shell));
        Assert.Contains(holds, Console.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ren", "render")]
    [InlineData("render a --mo", "--model")]
    [InlineData("render a --model t2v-1", "t2v-14b")]
    [InlineData("download v --variant ", "spritesheet")]
    [InlineData("keys c", "create")]
    public async Task Suggest_APart_OffersWhatComesNext(string line, string offer)
    {
        using var output = new StringWriter();
        await Parse($"[suggest:{line.Length}]", line)
            .InvokeAsync(new InvocationConfiguration { Output = output }, TestContext.Current.CancellationToken);

        Assert.Contains(offer, output.ToString().Split('\n').Select(word => word.Trim()));
    }
}
