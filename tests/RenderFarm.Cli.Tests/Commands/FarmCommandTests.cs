using RenderFarm.Cli.Commands;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Commands;

public sealed class FarmCommandTests : IDisposable
{
    private readonly TestConsole _console = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _console.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public async Task Run_FarmException_PrintsCodeAndMessageAndEndsWithItsCode()
    {
        var code = await RunAsync("list", "--url", "not-an-address", "--key", "x");

        Assert.Equal(FarmCommand.Refused, code);
        Assert.Equal("error: invalid_option: --url: 'not-an-address' is not an http address", _errors.ToString().Trim());
    }

    [Fact]
    public async Task Up_FarmWithoutServers_NamesWhatIsMissing()
    {
        var code = await RunAsync("up", "--farm");

        Assert.Equal(FarmCommand.Failure, code);
        Assert.Contains("--postgres", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo", "--frames", "many")]
    [InlineData("demo", "a cat", "--guidance", "nan")]
    [InlineData("demo", "--fames")]
    [InlineData("up", "--port", "70000")]
    [InlineData("nonsense")]
    public void Parse_WrongOptions_AreErrorsBeforeAnythingRuns(params string[] arguments)
        => Assert.NotEmpty(FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments).Errors);

    [Theory]
    [InlineData("demo", "a cat", "--size", "64x48", "--frames", "9", "--steps", "4", "--seed", "1", "--guidance", "3.5", "--negative", "", "--out", "x.mp4")]
    [InlineData("render", "a cat", "--model", "t2v-14b", "--priority", "90")]
    [InlineData("submit", "a cat")]
    [InlineData("keys", "show")]
    public void Parse_DocumentedOptions_AreKnown(params string[] arguments)
        => Assert.Empty(FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments).Errors);

    [Fact]
    public async Task Demo_OutputThatIsAFolder_IsRefusedBeforeAnythingStarts()
    {
        var folder = Path.GetTempPath();
        var code = await RunAsync("demo", "a cat", "--out", folder);

        Assert.Equal(FarmCommand.Failure, code);
        Assert.Contains("cannot_write", _errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(_console.Output);
    }

    private Task<int> RunAsync(params string[] arguments)
        => FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
}
