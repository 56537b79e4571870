using System.CommandLine;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Cli.Commands;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>Completion with what a farm has; without a farm, with nothing.</summary>
public sealed partial class LiveIdsTests : IDisposable
{
    /// <summary>Arguments of verbs that speak to a farm which are no id, and options that speak of ids and are none.</summary>
    private static readonly string[] OtherThanIds = ["prompt", "file", "name", "--out"];

    private readonly TestConsole _console = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _console.Dispose();
        _errors.Dispose();
    }

    [Theory]
    [InlineData("show ", "video_1", "video_2", "batch_1")]
    [InlineData("show video_", "video_1", "video_2")]
    [InlineData("retry ", "video_2", "batch_1")]
    [InlineData("download batch", "batch_1")]
    [InlineData("delete ", "video_1", "video_2", "batch_1")]
    [InlineData("manifest ", "batch_1")]
    [InlineData("drain ", "rack-1")]
    [InlineData("keys revoke ", "key_1")]
    [InlineData("keys inspect ", "key_1")]
    [InlineData("plan --server --worker ", "rack-1")]
    [InlineData("submit x --model own", "own-model")]
    public async Task Completions_OfAnId_AreThoseTheFarmHas(string line, params string[] expected)
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.Url!.AbsolutePath switch
                    {
                        "/v1/videos" => """{"data":[{"id":"video_1","status":"completed"},{"id":"video_2","status":"failed"}]}""",
                        "/v1/batches" => """{"data":[{"id":"batch_1","status":"completed"}]}""",
                        "/v1/workers" => """{"data":[{"id":"worker_1","name":"rack-1","status":"live"}]}""",
                        "/v1/models" => """{"data":[{"id":"own-model"}]}""",
                        _ => """{"data":[{"id":"key_1"}]}""",
                    }
                )
        );

        var known = Completions(farm.Url, line);

        foreach (var id in expected)
        {
            Assert.Contains(id, known);
        }
        Assert.Equal(expected.Length, known.Count(id => id.Contains('_', StringComparison.Ordinal) || id is "rack-1" or "own-model"));
    }

    [Fact]
    public async Task Completions_OfEveryPlaceForAnId_AskTheFarm()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"data":[]}"""));
        var lines = PlacesForIds(FarmCommand.Create(_console, _errors, TimeProvider.System), "").ToList();
        Assert.Contains("keys revoke ", lines);
        Assert.Contains("list --after ", lines);

        foreach (var line in lines)
        {
            farm.Requests.Clear();
            Completions(farm.Url, line);
            Assert.False(farm.Requests.IsEmpty, $"./farm {line}<id>: give it CompleteWith");
        }
    }

    [Fact]
    public void Completions_WithoutAFarm_AreNoError()
    {
        Assert.DoesNotContain(Completions("http://127.0.0.1:9", "show "), id => id.StartsWith("video_", StringComparison.Ordinal));
        Assert.Empty(_errors.ToString());
    }

    /// <summary>Lines that end where an id is to come, of every verb that can be told which farm to speak to.</summary>
    private static IEnumerable<string> PlacesForIds(Command command, string line)
    {
        foreach (var below in command.Subcommands.SelectMany(verb => PlacesForIds(verb, $"{line}{verb.Name} ")))
        {
            yield return below;
        }
        if (!command.Options.Any(option => option.Name == "--url"))
        {
            yield break;
        }

        foreach (var argument in command.Arguments)
        {
            if (!OtherThanIds.Contains(argument.Name))
            {
                yield return line;
            }

            line += "x ";
        }
        foreach (var option in command.Options.Where(HoldsId))
        {
            yield return $"{line}{option.Name} ";
        }
    }

    private static bool HoldsId(Option option) =>
        !OtherThanIds.Contains(option.Name) && (option.Name is "--worker" || WordId().IsMatch(option.Description ?? ""));

    [GeneratedRegex(@"\bids?\b")]
    private static partial Regex WordId();

    private List<string> Completions(string url, string line)
    {
        // Before an option that waits for its value.
        var last = line.LastIndexOf(" --", StringComparison.Ordinal) is > 0 and var option ? option : line.LastIndexOf(' ');
        var whole = $"{line[..last]} --url {url} --key x{line[last..]}";
        return
        [
            .. FarmCommand
                .Create(_console, _errors, new FakeTimeProvider()) // The half second that a shell waits never ends
                .Parse(whole)
                .GetCompletions(whole.Length)
                .Select(item => item.Label),
        ];
    }
}
