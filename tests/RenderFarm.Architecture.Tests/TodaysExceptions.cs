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
        "RenderFarm.Api.Errors <-> RenderFarm.Api.Requests",
        "RenderFarm.Api.Health <-> RenderFarm.Api.Hosting",
        "RenderFarm.Api.Hosting <-> RenderFarm.Api.Messaging",
        "RenderFarm.Api.Hosting <-> RenderFarm.Api.Metrics",
        "RenderFarm.Api.Inputs <-> RenderFarm.Api.Inputs.Formats",
        "RenderFarm.Api.Inputs <-> RenderFarm.Api.Videos",
        "RenderFarm.Api.Messaging <-> RenderFarm.Api.Videos",
        "RenderFarm.Api.Plans <-> RenderFarm.Api.Videos",
        "RenderFarm.Benchmarks <-> RenderFarm.Benchmarks.Queue",
        "RenderFarm.Chaos <-> RenderFarm.Chaos.Figures",
        "RenderFarm.Cli <-> RenderFarm.Cli.Commands",
        "RenderFarm.Cli <-> RenderFarm.Cli.Http",
        "RenderFarm.Contracts.Checks <-> RenderFarm.Contracts.Json",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Leases",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Models",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Plans",
        "RenderFarm.Contracts.Json <-> RenderFarm.Contracts.Videos",
        "RenderFarm.Contracts.Models <-> RenderFarm.Contracts.Rendering",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Batches",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Events",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Forecasts",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Intake",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Keys",
        "RenderFarm.Jobs <-> RenderFarm.Jobs.Persistence",
        "RenderFarm.Jobs.Events <-> RenderFarm.Jobs.Maintenance",
        "RenderFarm.Jobs.Intake <-> RenderFarm.Jobs.Persistence",
        "RenderFarm.Jobs.Keys <-> RenderFarm.Jobs.Persistence",
        "RenderFarm.Jobs.Leasing <-> RenderFarm.Jobs.Persistence",
        "RenderFarm.Jobs.Leasing <-> RenderFarm.Jobs.Workers",
        "RenderFarm.Jobs.Persistence <-> RenderFarm.Jobs.Webhooks",
        "RenderFarm.Renderer.Bench <-> RenderFarm.Renderer.Calibration",
    ];

    /// <summary>Projects in which some namespaces reach each other over more than one arrow.</summary>
    public static readonly string[] ProjectsWithCircles =
    [
        "RenderFarm.Api",
        "RenderFarm.Benchmarks",
        "RenderFarm.Chaos",
        "RenderFarm.Cli",
        "RenderFarm.Contracts",
        "RenderFarm.Jobs",
        "RenderFarm.Renderer",
    ];

    /// <summary><c>A -> B</c>, B known to A at first hand or through others.</summary>
    public static readonly string[] Arrows = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] Folders = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithLongLines =
    [
        "services/RenderFarm.Api/Description/FarmDocument.cs",
        "services/RenderFarm.Api/Description/Tags.cs",
        "tests/RenderFarm.Api.Tests/Description/OpenApiLintTests.cs",
    ];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithDirectLogCalls = ["services/RenderFarm.Api/Hosting/Preparation.cs"];

    /// <summary>Paths from the root: log methods without an event id, or with one that is taken.</summary>
    public static readonly string[] FilesWithoutEventIds =
    [
        "services/RenderFarm.Api/Errors/ErrorMiddleware.cs",
        "services/RenderFarm.Api/Hosting/JobsLoops.cs",
        "services/RenderFarm.Api/Inputs/PictureIntake.cs",
        "services/RenderFarm.Api/Messaging/BrokerDuty.cs",
        "services/RenderFarm.Api/Messaging/CancelCourier.cs",
        "services/RenderFarm.Api/Messaging/IntakeConsumer.cs",
        "services/RenderFarm.Api/Messaging/RabbitMqNotices.cs",
        "services/RenderFarm.Api/Metrics/QueueGauges.cs",
        "services/RenderFarm.Api/Webhooks/WebhookSender.cs",
        "services/RenderFarm.Jobs/Events/BellRinger.cs",
        "services/RenderFarm.Jobs/Events/EventFeed.cs",
        "services/RenderFarm.Jobs/Events/PostgresSignalListener.cs",
        "services/RenderFarm.Jobs/Maintenance/ArtifactJanitor.cs",
        "services/RenderFarm.Jobs/Maintenance/ISweep.cs",
    ];
}
