using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Models;

/// <summary><c>/v1/models</c>: every model that a worker ever registered, and whether one is there now.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/v1/models").WithTags("Models").RequireScope(Scopes.Read);
        models.MapGet("/", ListAsync).WithSummary("Models that can be asked for, and which worker has which files of them");
        models.MapGet("/{id}", ShowAsync).WithSummary("One model");
    }

    private static async Task<ModelList> ListAsync(WorkerRegistry workers, ModelHolders holders, CancellationToken cancellationToken)
    {
        var all = await workers.ListAsync(cancellationToken);
        var held = (await holders.AllAsync(cancellationToken)).ToLookup(holder => holder.ModelId);
        return new ModelList(
            [
                .. (await workers.ModelsAsync(cancellationToken)).Select(model =>
                    ModelView.Of(model, HolderView.Of(held[model.Registration.Id], all))
                ),
            ]
        );
    }

    private static async Task<ModelView> ShowAsync(
        string id,
        WorkerRegistry workers,
        ModelHolders holders,
        CancellationToken cancellationToken
    ) =>
        (await ListAsync(workers, holders, cancellationToken)).Data.FirstOrDefault(model => model.Id == id)
        ?? throw ApiError.NotFound("model", id).AsException();
}

/// <summary>In the shape that OpenAI clients list, with what the farm knows besides.</summary>
internal sealed record ModelView
{
    public required string Id { get; init; }
    public string Object { get; } = "model";
    public long Created { get; init; }
    public string OwnedBy { get; } = "renderfarm";

    /// <summary>A worker that has all of it is connected.</summary>
    public required bool Available { get; init; }

    /// <summary>Who has it, by name, whole or not.</summary>
    public required IReadOnlyList<HolderView> Workers { get; init; }
    public required ModelDefaults Defaults { get; init; }

    /// <summary>Takes a picture to start from.</summary>
    public required bool TakesPicture { get; init; }

    /// <summary>Takes a picture to end on.</summary>
    public bool TakesLastFrame { get; init; }

    /// <summary>Settings that can be asked for by one name.</summary>
    public IReadOnlyList<RenderPreset> Presets { get; init; } = [];

    /// <summary>What can be named in <c>loras</c>.</summary>
    public IReadOnlyList<string> Loras { get; init; } = [];
    public string? Note { get; init; }

    public static ModelView Of(KnownModel model, IReadOnlyList<HolderView> workers) =>
        new()
        {
            Id = model.Registration.Id,
            Created = model.FirstSeenAt.ToUnixTimeSeconds(),
            Available = model.WholeWorkers > 0,
            Workers = workers,
            Defaults = model.Registration.Shape.Defaults,
            TakesPicture = model.Registration.Shape.TakesFirstFrame,
            TakesLastFrame = model.Registration.Shape.TakesLastFrame,
            Presets = model.Registration.Shape.Presets,
            Loras = model.Registration.Loras,
            Note = model.Registration.Note,
        };
}

/// <summary>A worker that has a model.</summary>
/// <param name="SizeBytes">Of the files that are there; null where it doesn't tell of them.</param>
/// <param name="Lacks">What is missing or damaged there; with any of it, jobs fail there.</param>
internal sealed record HolderView(string Id, string Name, WorkerStatus Status, long? SizeBytes, IReadOnlyList<LackView> Lacks)
{
    public static IReadOnlyList<HolderView> Of(IEnumerable<ModelHolder> holders, IReadOnlyList<FarmWorker> workers) =>
        [
            .. holders.Join(
                workers,
                holder => holder.WorkerId,
                worker => worker.Id,
                (holder, worker) =>
                    new HolderView(
                        worker.Id,
                        worker.Name,
                        worker.Status,
                        holder.Files.Count > 0 ? holder.Files.Sum(file => file.SizeBytes ?? 0) : null,
                        [
                            .. holder
                                .Files.Where(file => file.State != ModelFileState.There)
                                .Select(file => new LackView(file.Component, file.Name, file.State)),
                        ]
                    )
            ),
        ];
}

internal sealed record LackView(string Component, string File, ModelFileState State);

internal sealed record ModelList(IReadOnlyList<ModelView> Data)
{
    public string Object { get; } = "list";
}
