using System.CommandLine;
using RenderFarm.Cli.Commands;
using RenderFarm.Cli.Errands;
using RenderFarm.Verbs.Parsing;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Errands;

/// <summary>Verbs that other programs run: what is asked of the machine for each, and nothing for a line that makes no sense.</summary>
public sealed class ErrandVerbsTests : IDisposable
{
    private readonly TestConsole _console = new();
    private readonly StringWriter _errors = new();
    private readonly List<string> _words = [];

    public void Dispose()
    {
        _console.Dispose();
        _errors.Dispose();
    }

    [Theory]
    [InlineData("parity tests/golden --device=cuda", "build=apps -- workers/RenderFarm.Tools parity tests/golden --device cuda")]
    [InlineData("models scan /models --json", "build=apps -- workers/RenderFarm.Tools models scan /models --json")]
    [InlineData("bench gpu --part speed", "build=apps ffmpeg -- workers/RenderFarm.Tools bench gpu --part speed")]
    [InlineData("bench calibrate --device cpu", "build=apps -- workers/RenderFarm.Renderer calibrate --device cpu")]
    [InlineData("bench queue --part rate", "build=tests server=postgres server=rabbitmq -- tests/RenderFarm.Benchmarks queue --part rate")]
    [InlineData("bench leaks --jobs 20 --standby", "build=tests ffmpeg -- tests/RenderFarm.Benchmarks leaks --jobs 20 --standby")]
    [InlineData("chaos --figures", "build=tests ffmpeg -- tests/RenderFarm.Chaos --figures")]
    [InlineData("test LeaseTests", "-- deploy/scripts/test.sh LeaseTests")]
    [InlineData("test --filter-method *Submit* --coverage", "-- deploy/scripts/test.sh --filter-method *Submit* --coverage")]
    [InlineData("services start /tmp/x --durable postgres s3", "-- deploy/scripts/services.sh start /tmp/x --durable postgres s3")]
    [InlineData("build", "build=apps --")]
    [InlineData("build programs", "build=apps --")]
    [InlineData("build tests", "build=tests --")]
    public async Task Run_AVerbOfAnotherProgram_AsksForWhatItNeeds(string line, string words)
    {
        Assert.Equal(0, await RunAsync(line.Split(' ')));

        Assert.Equal(words, string.Join(' ', _words));
        Assert.Empty(_errors.ToString());
    }

    [Theory]
    [InlineData("parity", "dir is missing: A folder of golden files")]
    [InlineData("bench gpu --part sped", "--part is 'sped': it must be")]
    [InlineData("bench queu", "there is no verb bench queu; did you mean queue?")]
    [InlineData("chaos --faults many", "--faults is 'many': it must be a whole number from 1 to 100000")]
    [InlineData("services start /tmp/x mysql", "names is 'mysql': it must be postgres, rabbitmq, s3 or prometheus")]
    [InlineData("build test", "what is 'test': it must be programs or tests")]
    [InlineData("demoo", "there is no verb demoo; did you mean demo?")]
    public async Task Run_AWrongLine_AsksForNothing(string line, string message)
    {
        Assert.Equal(ExitCodes.Refused, await RunAsync(line.Split(' ')));

        Assert.Empty(_words);
        Assert.StartsWith($"error: invalid_option: {message}", _errors.ToString(), StringComparison.Ordinal);
        Assert.Single(_errors.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Help_OfEveryVerb_AsksForNothing()
    {
        foreach (var path in Paths(Create(), []))
        {
            using var output = new StringWriter();
            Assert.Equal(
                0,
                await VerbProgram.RunAsync(Create(), [.. path, "--help"], _errors, new InvocationConfiguration { Output = output })
            );
            Assert.Contains("Usage:", output.ToString(), StringComparison.Ordinal);
        }
        Assert.Empty(_words);
        Assert.Empty(_errors.ToString());
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("/farm", null, true)]
    [InlineData("/farm", "1", false)]
    public void Missing_OutsideOfTheLauncherOrWhenReady_IsNothing(string? root, string? ready, bool expected)
    {
        var words = Readiness.Missing(
            Create().Parse(["demo", "a cat"]),
            needsFfmpeg: true,
            name => name == "RENDERFARM_ROOT" ? root : ready
        );

        Assert.Equal(
            expected ? "build=apps ffmpeg -- services/RenderFarm.Cli demo a cat" : null,
            words is null ? null : string.Join(' ', words)
        );
    }

    private static IEnumerable<string[]> Paths(Command command, string[] path) =>
        command.Subcommands.Where(sub => !sub.Hidden).SelectMany(sub => Paths(sub, [.. path, sub.Name]).Prepend([.. path, sub.Name]));

    private Task<int> RunAsync(string[] arguments) => VerbProgram.RunAsync(Create(), arguments, _errors);

    private RootCommand Create() =>
        FarmCommand.Create(
            _console,
            _errors,
            TimeProvider.System,
            words =>
            {
                _words.AddRange(words);
                return 0;
            }
        );
}
