using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Enrolment;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Workers;

/// <summary><c>/v1/workers</c>: who is there, and taking a host out of service and back.</summary>
internal static class WorkerEndpoints
{
    private const int LongestSlot = 100;

    public static void MapWorkers(this IEndpointRouteBuilder routes)
    {
        var workers = routes.MapGroup("/v1/workers").WithTags("Workers");
        workers.MapGet("/", ListAsync).RequireScope(Scopes.Read).WithSummary("Workers, by name, and what they hold");
        workers.MapGet("/{id}", ShowAsync).RequireScope(Scopes.Read).WithSummary("One worker");
        workers
            .MapPatch("/{id}", RenameAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("What a worker is called; null: what it calls itself")
            .Accepts<WorkerFields>("application/json");
        workers
            .MapDelete("/{id}", RevokeAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("The worker leaves the farm: its key is dead within 15 s, and what it holds goes to another");
        workers
            .MapPost("/{id}/drain", DrainAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("No new jobs; running ones finish");
        workers
            .MapPost("/{id}/resume", ResumeAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("Jobs again: ends a drain and the quarantine of every slot, or of one")
            .Accepts<ResumeFields>(isOptional: true, "application/json")
            .Produces<WorkerView>();
    }

    private static async Task<WorkerList> ListAsync(
        HttpContext context,
        WorkerRegistry registry,
        ModelHolders holders,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var (held, all) = (await jobs.HeldAsync(cancellationToken), await registry.ListAsync(cancellationToken));
        return new WorkerList(
            [.. all.Select(worker => WorkerView.Of(worker, all, held, context.Caller().Jobs))],
            await holders.UnheldAsync(cancellationToken)
        );
    }

    private static async Task<WorkerView> ShowAsync(
        string id,
        HttpContext context,
        WorkerRegistry registry,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var all = await registry.ListAsync(cancellationToken);
        return all.FirstOrDefault(worker => worker.Id == id) is { } found
            ? WorkerView.Of(found, all, await jobs.HeldAsync(cancellationToken), context.Caller().Jobs)
            : throw ApiError.NotFound("worker", id).AsException();
    }

    private static async Task<WorkerView> RenameAsync(
        string id,
        HttpContext context,
        WorkerRegistry registry,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var body = (await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields;
        var fields = new FieldReader(body);
        var name = WorkerLabel.Read(fields, "name");
        fields.RefuseRest();
        if (!body.ContainsKey("name"))
        {
            throw fields.Invalid("name", "is missing: say what the worker is called, or null for what it calls itself");
        }

        return await registry.RenameAsync(id, name, cancellationToken)
            ? await ShowAsync(id, context, registry, jobs, cancellationToken)
            : throw ApiError.NotFound("worker", id).AsException();
    }

    private static async Task<DeletedWorker> RevokeAsync(
        string id,
        WorkerRevocation revocation,
        IWorkerBroker broker,
        CancellationToken cancellationToken
    )
    {
        if (!await revocation.RevokeAsync(id, cancellationToken))
        {
            throw ApiError.NotFound("worker", id).AsException();
        }

        await broker.RemoveAsync(id, cancellationToken);
        return new DeletedWorker(id);
    }

    private static async Task<WorkerView> DrainAsync(
        string id,
        HttpContext context,
        WorkerRegistry registry,
        JobStore jobs,
        CancellationToken cancellationToken
    ) =>
        await registry.SetDrainingAsync(id, true, cancellationToken)
            ? await ShowAsync(id, context, registry, jobs, cancellationToken)
            : throw ApiError.NotFound("worker", id).AsException();

    private static async Task<WorkerView> ResumeAsync(
        string id,
        HttpContext context,
        WorkerRegistry registry,
        SlotQuarantines quarantines,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        string? slot = null;
        if (context.Request.ContentType is not null || context.Request.ContentLength > 0)
        {
            var fields = new FieldReader((await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields);
            slot = fields.Text("slot", LongestSlot, mayBeEmpty: false);
            fields.RefuseRest();
        }

        return await quarantines.ResumeAsync(id, slot, cancellationToken)
            ? await ShowAsync(id, context, registry, jobs, cancellationToken)
            : throw ApiError.NotFound("worker or slot", slot is null ? id : $"{id}/{slot}").AsException();
    }
}

internal sealed record WorkerFields(string? Name);

internal sealed record DeletedWorker(string Id)
{
    public string Object { get; } = "worker.deleted";
    public bool Deleted { get; } = true;
}

/// <param name="Slot">Absent: all of them, and the worker's drain ends.</param>
internal sealed record ResumeFields(string? Slot);

internal sealed record WorkerView
{
    public required string Id { get; init; }
    public string Object { get; } = "worker";
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }
    public required WorkerStatus Status { get; init; }
    public required IReadOnlyList<SlotView> Slots { get; init; }
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>What its slots are at. Another key's video has no id here.</summary>
    public required IReadOnlyList<HeldVideo> Held { get; init; }
    public required long RegisteredAt { get; init; }
    public required long SeenAt { get; init; }

    /// <summary>What an operator should see to; null when there is nothing.</summary>
    public string? Warning { get; init; }

    /// <param name="all">Every worker, this one among them.</param>
    public static WorkerView Of(FarmWorker worker, IReadOnlyList<FarmWorker> all, IReadOnlyList<HeldJob> held, JobScope scope) =>
        new()
        {
            Id = worker.Id,
            Name = worker.Name,
            Host = worker.Host,
            Version = worker.Version,
            Status = worker.Status,
            Slots = [.. worker.Slots.Select(slot => SlotView.Of(slot, worker.QuarantineOf(slot.Id)))],
            Models = worker.Models,
            Held =
            [
                .. held.Where(job => job.WorkerId == worker.Id)
                    .Select(job => new HeldVideo(
                        job.SlotId,
                        job.Stage,
                        scope.KeyId is null || scope.KeyId == job.KeyId ? job.JobId : null
                    )),
            ],
            RegisteredAt = worker.RegisteredAt.ToUnixTimeSeconds(),
            SeenAt = worker.SeenAt.ToUnixTimeSeconds(),
            Warning =
                worker.IsLive && all.FirstOrDefault(other => other.IsLive && other.Name == worker.Name && other.Id != worker.Id) is { } twin
                    ? $"another live worker is named '{twin.Name}' too: {twin.Id} on host {twin.Host}; set Worker:Name on one of them"
                    : null,
        };
}

/// <summary>Where one job at a time can run, as its worker registered it.</summary>
internal sealed record SlotView
{
    public required string Id { get; init; }
    public required SlotKind Kind { get; init; }

    /// <summary>The card's name, or the processor's.</summary>
    public required string Card { get; init; }
    public string? Driver { get; init; }

    /// <summary>Device memory of a card, host memory of a CPU slot.</summary>
    public required long TotalBytes { get; init; }
    public CardCalibration? Calibration { get; init; }

    /// <summary>Whether plans for it are timed with what was measured on it.</summary>
    public required RatesOrigin Rates { get; init; }

    /// <summary>Why it is given no jobs; null when it is.</summary>
    public required SlotQuarantine? Quarantine { get; init; }

    public static SlotView Of(SlotDescription slot, SlotQuarantine? quarantine) =>
        new()
        {
            Id = slot.Id,
            Kind = slot.Kind,
            Card = slot.Card,
            Driver = slot.Driver,
            TotalBytes = slot.TotalBytes,
            Calibration = slot.Calibration,
            Rates = slot.Rates,
            Quarantine = quarantine,
        };
}

/// <param name="VideoId">Null when the video is not the caller's.</param>
internal sealed record HeldVideo(string Slot, RenderStage Stage, string? VideoId);

/// <param name="Unheld">Models that videos wait for and that no connected worker has whole.</param>
internal sealed record WorkerList(IReadOnlyList<WorkerView> Data, IReadOnlyList<UnheldModel> Unheld)
{
    public string Object { get; } = "list";
}
