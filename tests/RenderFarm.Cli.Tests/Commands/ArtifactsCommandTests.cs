using System.CommandLine;
using RenderFarm.Cli.Commands;
using RenderFarm.Verbs.Parsing;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Commands;

public sealed class ArtifactsCommandTests : IDisposable
{
    private readonly TestConsole _console = new();
    private readonly StringWriter _errors = new();

    public ArtifactsCommandTests() => _console.Profile.Width = 400;

    public void Dispose()
    {
        _console.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public async Task Audit_TwoPages_ListsBothAndRemovesNothing()
    {
        await using var farm = new StubFarm(
            (request, _) => (200, request.QueryString["after"] is null ? Page(true, "videos/a/1/v.mp4") : Page(false, "videos/b/1/v.mp4"))
        );

        Assert.Equal(0, await RunAsync(farm, "artifacts", "audit", "--older-than", "30d"));

        Assert.Equal(
            [
                "GET /v1/audit/artifacts?older_than=30d&limit=1000",
                "GET /v1/audit/artifacts?older_than=30d&limit=1000&after=videos%2Fa%2F1%2Fv.mp4",
            ],
            farm.Requests.Select(sent => sent.Line)
        );
        Assert.Contains("videos/b/1/v.mp4", _console.Output, StringComparison.Ordinal);
        Assert.Contains("Unclaimed: 2 objects, 4.0 MiB. --apply removes them.", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_Apply_RemovesUntilNothingIsLeft()
    {
        var asked = 0;
        await using var farm = new StubFarm((_, _) => (200, Page(++asked == 1, $"videos/{asked}/1/video.mp4")));

        Assert.Equal(0, await RunAsync(farm, "artifacts", "audit", "--apply"));

        Assert.Equal(
            Enumerable.Repeat("DELETE /v1/audit/artifacts?older_than=7d&limit=1000", 2),
            farm.Requests.Select(sent => sent.Line)
        );
        Assert.Contains("Removed: 2 objects, 4.0 MiB.", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_AgeThatIsNone_IsRefusedWithWhatIsAccepted()
    {
        await using var farm = new StubFarm((_, _) => (200, "{}"));

        Assert.NotEqual(0, await RunAsync(farm, "artifacts", "audit", "--older-than", "soon"));

        Assert.Empty(farm.Requests);
        Assert.Contains("a whole number with s, m, h or d, such as 7d", _errors.ToString(), StringComparison.Ordinal);
    }

    private Task<int> RunAsync(StubFarm farm, params string[] arguments) =>
        VerbProgram.RunAsync(
            FarmCommand.Create(_console, _errors, TimeProvider.System, _ => 0),
            [.. arguments, "--url", farm.Url, "--key", "rf_test"],
            _errors,
            new InvocationConfiguration { Output = TextWriter.Null, Error = _errors }
        );

    private static string Page(bool more, string key) =>
        $$"""
        {"object":"list","data":[{"object":"artifact.unclaimed","key":"{{key}}","size_bytes":2097152,"last_modified":1764500000}],
         "has_more":{{(more ? "true" : "false")}},"last_id":"{{key}}"}
        """;
}
