using System.CommandLine;
using RenderFarm.Cli.Commands;
using RenderFarm.Testing;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>
/// Verbs against a farm: what they send, what they print for people and for programs, how they end. Some change the environment,
/// so all of them are one collection, of which one runs at a time.
/// </summary>
public abstract class VerbsUnderTest : IDisposable
{
    protected VerbsUnderTest()
    {
        Console.Profile.Width = 400;
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", Folder.Path);
    }

    protected TestConsole Console { get; } = new();

    protected StringWriter Errors { get; } = new();

    protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", null);
        Console.Dispose();
        Errors.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected Task<int> RunAsync(StubFarm farm, params string[] arguments) =>
        RunAsync([.. arguments, "--url", farm.Url, "--key", "rf_test"]);

    protected Task<int> RunAsync(params string[] arguments) =>
        Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

    protected ParseResult Parse(params string[] arguments) => FarmCommand.Create(Console, Errors, TimeProvider.System).Parse(arguments);

    /// <summary>A video as the farm shows it, with more members if need be.</summary>
    protected static string VideoIs(string status, string more = "") =>
        $$"""
            {"id":"video_1","object":"video","status":"{{status}}","model":"demo","seed":7,"stage":"denoising",
            "unknown":"a member of tomorrow"{{more}}}
            """;

    /// <summary>A batch of two.</summary>
    protected static string BatchIs(string status, int completed, int failed) =>
        $$$"""
            {"id":"batch_1","status":"{{{status}}}","total":2,"progress":{{{50 * (completed + failed)}}},
            "counts":{"queued":{{{2 - completed - failed}}},"in_progress":0,"completed":{{{completed}}},"failed":{{{failed}}},
            "cancelled":0}}
            """;
}
