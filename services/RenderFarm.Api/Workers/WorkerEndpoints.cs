using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Workers;

/// <summary><c>/v1/workers</c>: who is there, and taking a host out of service and back.</summary>
public static class WorkerEndpoints
{
    public static void MapWorkers(this IEndpointRouteBuilder routes)
    {
        var workers = routes.MapGroup("/v1/workers").WithTags("Workers");
        workers.MapGet("/", async (WorkerRegistry registry, CancellationToken cancel) =>
            new WorkerList([.. (await registry.ListAsync(cancel)).Select(WorkerView.Of)])).RequireScope(Scopes.Read).WithSummary("Workers, by name");
        workers.MapGet("/{id}", ShowAsync).RequireScope(Scopes.Read).WithSummary("One worker");
        workers.MapPost("/{id}/drain", (string id, WorkerRegistry registry, CancellationToken cancel) => SetAsync(id, true, registry, cancel))
            .RequireScope(Scopes.Admin).WithSummary("No new jobs; running ones finish");
        workers.MapPost("/{id}/resume", (string id, WorkerRegistry registry, CancellationToken cancel) => SetAsync(id, false, registry, cancel))
            .RequireScope(Scopes.Admin).WithSummary("Jobs again");
    }

    private static async Task<WorkerView> ShowAsync(string id, WorkerRegistry registry, CancellationToken cancel) =>
        WorkerView.Of(await registry.FindAsync(id, cancel) ?? throw ApiError.NotFound("worker", id).AsException());

    private static async Task<WorkerView> SetAsync(string id, bool draining, WorkerRegistry registry, CancellationToken cancel) =>
        await registry.SetDrainingAsync(id, draining, cancel) ? await ShowAsync(id, registry, cancel) : throw ApiError.NotFound("worker", id).AsException();
}

public sealed record WorkerView
{
    public required string Id { get; init; }
    public string Object => "worker";
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }

    /// <summary><c>live</c>, <c>draining</c> or <c>gone</c>.</summary>
    public required string Status { get; init; }
    public required IReadOnlyList<SlotDescription> Slots { get; init; }
    public required IReadOnlyList<string> Models { get; init; }
    public required long RegisteredAt { get; init; }
    public required long SeenAt { get; init; }

    public static WorkerView Of(FarmWorker worker) => new()
    {
        Id = worker.Id,
        Name = worker.Name,
        Host = worker.Host,
        Version = worker.Version,
        Status = !worker.IsLive ? "gone" : worker.Draining ? "draining" : "live",
        Slots = worker.Slots,
        Models = worker.Models,
        RegisteredAt = worker.RegisteredAt.ToUnixTimeSeconds(),
        SeenAt = worker.SeenAt.ToUnixTimeSeconds(),
    };
}

public sealed record WorkerList(IReadOnlyList<WorkerView> Data)
{
    public string Object => "list";
}
