using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Models;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Jobs.Workers;
using RenderFarm.Planning;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Api.Plans;

/// <summary><c>POST /v1/plans</c>: what would be chosen for a request on a card, without a job.</summary>
internal static class PlanEndpoints
{

    public static void MapPlans(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/plans", PlanAsync)
            .RequireScope(Scopes.Read)
            .WithTags("Plans")
            .WithSummary("What would be chosen for this request on this card")
            .Accepts<PlanFields>("application/json")
            .Produces<PlanAnswer>();

    private static async Task<PlanAnswer> PlanAsync(
        HttpContext context,
        WorkerRegistry workers,
        ModelDirectory models,
        IOptions<VideosOptions> options,
        CancellationToken cancellationToken
    )
    {
        var body = await BodyReader.ReadAsync(context.Request, cancellationToken);
        var fields = new FieldReader(body.Fields);
        var (size, gpu, worker) = (fields.Number("vram_gib", 0, 1_024), fields.Text("gpu", 100), fields.Text("worker", 100));
        var host = fields.Number("host_memory_gib", 0, 65_536);
        foreach (var field in PlanFields.OfTheCard)
        {
            body.Fields.Remove(field);
        }

        // A plan depends on no words; asking for one is not asking for a video.
        body.Fields.TryAdd("prompt", "-");
        // A misspelt field is told of before the one that is missing for it.
        var request = VideoRequestReader.Read(body);
        var card = worker is not null
            ? await SlotOfAsync(worker, workers, cancellationToken)
            : size == 0 ? SlotState.Cpu(8 * Gibibytes.One)
            : AskedCard.Find(gpu ?? "", size, host)
                ?? throw fields.Invalid(
                    "vram_gib",
                    gpu is null
                        ? "is required, or 'gpu', or 'worker': the card to plan for; 0 is a CPU slot"
                        : $"is required: '{gpu}' is not in the table of known cards"
                );
        var name = options.Value.Resolve(request.Model);
        // A published model may be asked about before any worker has it: that is when people buy cards.
        var known = (await models.FindAsync(name, cancellationToken))?.Registration;
        var model =
            known?.Shape
            ?? ModelShapes.All.FirstOrDefault(shape => shape.Id == name)
            ?? (await models.RegistrationAsync(name, cancellationToken)).Shape;
        var spec = RenderSpecs.Complete(request, model, seed: 0, quality: options.Value.DefaultQuality);
        var question = PlanRequest.Of(model, spec, request.HasPictures || model.NeedsFirstFrame) with
        {
            StoredIn = known?.StoredIn ?? WeightStorage.Full,
        };
        var without = worker is null ? AskedCard.WithoutFp8(card) : null;
        return PlanAnswer.Of(Planner.Plan(question, card)) with
        {
            WithoutFp8 = without is null ? null : PlanAnswer.Of(Planner.Plan(question, without)),
        };
    }

    /// <summary>The largest slot of a worker, as registered and idle.</summary>
    private static async Task<SlotState> SlotOfAsync(string worker, WorkerRegistry workers, CancellationToken cancellationToken)
    {
        var known =
            (await workers.ListAsync(cancellationToken)).FirstOrDefault(w => w.Id == worker || w.Name == worker)
            ?? throw ApiError.InvalidValue("worker", $"There is no worker '{worker}'; see /v1/workers.").AsException();
        var slot =
            known.Slots.MaxBy(s => s.TotalBytes) ?? throw ApiError.InvalidValue("worker", $"Worker '{worker}' has no slot.").AsException();
        return new SlotState
        {
            Kind = slot.Kind,
            Card = slot.Card,
            ComputeCapability = slot.ComputeCapability,
            TotalBytes = slot.TotalBytes,
            FreeBytes = slot.TotalBytes,
            Calibration = slot.Calibration,
        };
    }

    public sealed record PlanAnswer(RenderPlan? Plan, double BudgetGib, PlanRefusal? Refusal, IReadOnlyList<RenderPlan> Alternatives)
    {
        public string Object { get; } = "plan";

        /// <summary>The same card where the start's check found its fp8 products wrong; null for a worker, and where it has none.</summary>
        public PlanAnswer? WithoutFp8 { get; init; }
        public bool Fits => Plan is not null;

        public static PlanAnswer Of(PlanResult result) =>
            new(result.Plan, Math.Round(Gibibytes.Of(result.BudgetBytes), 2), result.Refusal, result.Alternatives);
    }
}

/// <summary>The fields of <c>POST /v1/plans</c> besides those of a video.</summary>
internal sealed record PlanFields
{
    internal static readonly string[] OfTheCard = ["vram_gib", "gpu", "host_memory_gib", "worker"];

    /// <summary>Size of the card; 0 is a CPU slot. Absent: what the sheet of <c>gpu</c> says.</summary>
    public double? VramGib { get; init; }

    /// <summary>Its name, such as RTX 4090: rates are estimated from its maker's sheet.</summary>
    public string? Gpu { get; init; }

    /// <summary>Host memory for prepared weights. Absent: not checked.</summary>
    public double? HostMemoryGib { get; init; }

    /// <summary>Instead: the id or name of a registered worker.</summary>
    public string? Worker { get; init; }
    public string? Model { get; init; }
    public string? Size { get; init; }
    public int? Frames { get; init; }
    public int? Steps { get; init; }
    public double? GuidanceScale { get; init; }
    public Contracts.Videos.Quality? Quality { get; init; }
    public PlanPins? Plan { get; init; }
}
