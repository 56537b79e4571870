namespace RenderFarm.Architecture.Tests;

/// <summary>
/// Where the tree does not keep its own rules yet, the only list of it. It shrinks: an entry that nothing needs any more
/// fails the test of its rule, and so does everything that is new.
/// </summary>
internal static class TodaysExceptions
{
    /// <summary>Pairs of namespaces that use each other, the smaller name first.</summary>
    public static readonly string[] MutualNamespaces =
    [
        "RenderFarm.Benchmarks <-> RenderFarm.Benchmarks.Queue",
        "RenderFarm.Chaos <-> RenderFarm.Chaos.Figures",
        "RenderFarm.Cli <-> RenderFarm.Cli.Commands",
        "RenderFarm.Cli <-> RenderFarm.Cli.Http",
        "RenderFarm.Contracts.Checks <-> RenderFarm.Contracts.Json",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Leases",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Models",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Videos",
        "RenderFarm.Renderer.Bench <-> RenderFarm.Renderer.Calibration",
    ];

    /// <summary>Projects in which some namespaces reach each other over more than one arrow.</summary>
    public static readonly string[] ProjectsWithCircles =
    [
        "RenderFarm.Benchmarks",
        "RenderFarm.Chaos",
        "RenderFarm.Cli",
        "RenderFarm.Contracts",
        "RenderFarm.Renderer",
    ];

    /// <summary><c>A -> B</c>, B known to A at first hand or through others.</summary>
    public static readonly string[] Arrows = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] Folders = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithLongLines =
    [
        "deploy/build/RenderFarm.Build.Tasks/MendNativeLibrary.cs",
        "services/RenderFarm.Api/Keys/KeyEndpoints.cs",
        "services/RenderFarm.Api/Messaging/IntakeConsumer.cs",
        "tests/RenderFarm.Api.Tests/Messaging/QueueDoorTests.cs",
        "tests/RenderFarm.Build.Tests/BuildLog.cs",
        "tests/RenderFarm.Build.Tests/SharedLibrary.cs",
    ];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithDirectLogCalls = [];

    /// <summary>Paths from the root: log methods without an event id, or with one that is taken.</summary>
    public static readonly string[] FilesWithoutEventIds = [];
}
