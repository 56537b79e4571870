using System.CommandLine;
using System.Text.RegularExpressions;
using RenderFarm.Cli.Commands;
using RenderFarm.Verbs.Parsing;
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

        Assert.Equal(ExitCodes.Refused, code);
        Assert.Equal("error: invalid_option: --url: 'not-an-address' is not an http address", _errors.ToString().Trim());
    }

    [Fact]
    public async Task Up_FarmWithoutServers_NamesWhatIsMissing()
    {
        var code = await RunAsync("up", "--farm");

        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("--postgres", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo", "--frames", "many")]
    [InlineData("demo", "a cat", "--guidance", "nan")]
    [InlineData("demo", "--fames")]
    [InlineData("up", "--port", "70000")]
    [InlineData("nonsense")]
    public void Parse_WrongOptions_AreErrorsBeforeAnythingRuns(params string[] arguments) =>
        Assert.NotEmpty(FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments).Errors);

    [Theory]
    [InlineData(
        "demo",
        "a cat",
        "--size",
        "64x48",
        "--frames",
        "9",
        "--steps",
        "4",
        "--seed",
        "1",
        "--guidance",
        "3.5",
        "--negative",
        "",
        "--out",
        "x.mp4"
    )]
    [InlineData("render", "a cat", "--model", "t2v-14b", "--priority", "90")]
    [InlineData("submit", "a cat")]
    [InlineData("keys", "show")]
    public void Parse_DocumentedOptions_AreKnown(params string[] arguments) =>
        Assert.Empty(FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments).Errors);

    [Theory]
    [InlineData(0, "show", "--help")]
    [InlineData(2, "show")]
    [InlineData(2, "list", "--lmit", "3")]
    public async Task ExitCode_HelpForAVerbThatNeedsMore_IsNoRefusal(int expected, params string[] arguments)
    {
        using var output = new StringWriter();
        var root = FarmCommand.Create(_console, _errors, TimeProvider.System);
        Assert.Equal(expected, await VerbProgram.RunAsync(root, arguments, _errors, new() { Output = output, Error = output }));
    }

    [Fact]
    public async Task Help_OfEveryVerb_EndsWithExamplesThatParse()
    {
        var root = FarmCommand.Create(_console, _errors, TimeProvider.System);
        foreach (var path in Paths(root, []).Prepend([]))
        {
            using var output = new StringWriter();
            await root.Parse([.. path, "--help"]).InvokeAsync(new() { Output = output }, TestContext.Current.CancellationToken);
            var examples = output
                .ToString()
                .Split("Examples:")[1..]
                .SelectMany(text => text.Split('\n'))
                .Select(line => line.Trim())
                .Where(line => line.StartsWith("./farm ", StringComparison.Ordinal))
                .ToList();
            Assert.True(examples.Count > 0, $"{string.Join(' ', path)} --help has no example");
            foreach (var example in examples)
            {
                Assert.True(root.Parse(Regex.Split(example["./farm ".Length..], @"\s(?:\||>+|<|&&)\s")[0]).Errors.Count == 0, example);
            }
        }
    }

    private static IEnumerable<string[]> Paths(Command command, string[] path) =>
        command.Subcommands.Where(sub => !sub.Hidden).SelectMany(sub => Paths(sub, [.. path, sub.Name]).Prepend([.. path, sub.Name]));

    [Fact]
    public async Task Demo_OutputThatIsAFolder_IsRefusedBeforeAnythingStarts()
    {
        var folder = Path.GetTempPath();
        var code = await RunAsync("demo", "a cat", "--out", folder);

        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("cannot_write", _errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(_console.Output);
    }

    private Task<int> RunAsync(params string[] arguments) =>
        FarmCommand
            .Create(_console, _errors, TimeProvider.System)
            .Parse(arguments)
            .InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
}
