using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Models;

/// <summary><c>/v1/models</c>: every model that a worker ever registered, and whether one is there now.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/v1/models").WithTags("Models").RequireScope(Scopes.Read);
        models
            .MapGet(
                "/",
                async (WorkerRegistry workers, CancellationToken cancellationToken) =>
                    new ModelList([.. (await workers.ModelsAsync(cancellationToken)).Select(ModelView.Of)])
            )
            .WithSummary("Models that can be asked for");
        models
            .MapGet(
                "/{id}",
                async (string id, WorkerRegistry workers, CancellationToken cancellationToken) =>
                    ModelView.Of(await workers.FindModelAsync(id, cancellationToken) ?? throw ApiError.NotFound("model", id).AsException())
            )
            .WithSummary("One model");
    }
}

/// <summary>In the shape that OpenAI clients list, with what the farm knows besides.</summary>
internal sealed record ModelView
{
    public required string Id { get; init; }
    public string Object { get; } = "model";
    public long Created { get; init; }
    public string OwnedBy { get; } = "renderfarm";

    /// <summary>A worker that has it is connected.</summary>
    public required bool Available { get; init; }
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

    public static ModelView Of(KnownModel model) =>
        new()
        {
            Id = model.Registration.Id,
            Created = model.FirstSeenAt.ToUnixTimeSeconds(),
            Available = model.LiveWorkers > 0,
            Defaults = model.Registration.Shape.Defaults,
            TakesPicture = model.Registration.Shape.TakesFirstFrame,
            TakesLastFrame = model.Registration.Shape.TakesLastFrame,
            Presets = model.Registration.Shape.Presets,
            Loras = model.Registration.Loras,
            Note = model.Registration.Note,
        };
}

internal sealed record ModelList(IReadOnlyList<ModelView> Data)
{
    public string Object { get; } = "list";
}
