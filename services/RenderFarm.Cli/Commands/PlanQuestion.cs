using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Cli.Commands;

/// <param name="Heading">Which card, in words.</param>
/// <param name="Gib">Null where the farm knows: of a worker.</param>
/// <param name="Fp8">With fp8 products, or as if the start's check had found them wrong; null where that is no question.</param>
internal sealed record PlanAnswer(string Heading, double? Gib, bool? Fp8, PlanResult Result)
{
    /// <summary>Its name and size alone.</summary>
    public required string Card { get; init; }
}

/// <summary>What <c>plan</c> is asked, and its two ways to an answer.</summary>
internal sealed record PlanQuestion
{
    public required string Model { get; init; }
    public string? Size { get; init; }
    public int? Frames { get; init; }
    public int? Steps { get; init; }
    public double? Guidance { get; init; }
    public int Loras { get; init; }
    public string? StepCache { get; init; }
    public string? Quality { get; init; }
    public string Card { get; init; } = "";
    public double? HostGib { get; init; }
    public string? Worker { get; init; }

    /// <param name="gib">Null: what the card's sheet says.</param>
    public IEnumerable<PlanAnswer> WorkOut(double? gib)
    {
        var shape =
            ModelShapes.Find(Model)
            ?? throw new FarmException(
                "unknown_model",
                $"there is no model '{Model}'; there are {string.Join(", ", ModelShapes.All.Select(known => known.Id))}. A farm's own "
                    + "models: --server"
            );
        var request = PlanRequest.DefaultOf(shape);
        var (width, height) = Size is null ? (request.Width, request.Height) : Sides(Size);
        request = request with
        {
            Width = width,
            Height = height,
            Frames = Frames ?? request.Frames,
            Steps = Steps ?? request.Steps,
            GuidanceScale = Guidance ?? request.GuidanceScale,
            Loras = Loras,
            StepCache = StepCache is not null,
        };
        Check(request);
        request = request with { Quality = Quality is null ? default : Word.Parse<Contracts.Videos.Quality>(Quality) };
        var slot =
            AskedCard.Find(Card, gib, HostGib)
            ?? throw new FarmException(
                "invalid_option",
                $"--card: '{Card}' is not in the table of known cards; say its memory with --vram, and it is planned below the slowest "
                    + "of its generation"
            );
        var without = AskedCard.WithoutFp8(slot);
        yield return Answer(Gibibytes.Of(slot.TotalBytes), without is null ? null : true, Planner.Plan(request, slot));
        if (without is not null)
        {
            yield return Answer(Gibibytes.Of(slot.TotalBytes), false, Planner.Plan(request, without));
        }
    }

    /// <inheritdoc cref="WorkOut"/>
    public async Task<IReadOnlyList<PlanAnswer>> AskAsync(FarmClient client, double? gib, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["model"] = Model };
        if (Worker is not null)
        {
            body["worker"] = Worker;
        }
        else if (gib is not null)
        {
            body["vram_gib"] = gib;
        }

        if (Loras > 0)
        {
            body["loras"] = new JsonArray([.. Enumerable.Range(1, Loras).Select(n => new JsonObject { ["name"] = $"lora-{n}" })]);
        }

        if (StepCache is not null)
        {
            body["step_cache"] = new JsonObject { ["kind"] = StepCache };
        }

        foreach (
            var (name, value) in new (string, JsonNode?)[]
            {
                ("size", Size),
                ("frames", Frames),
                ("steps", Steps),
                ("guidance_scale", Guidance),
                ("quality", Quality),
                ("gpu", Worker is null && Card.Length > 0 ? Card : null),
                ("host_memory_gib", HostGib),
            }
        )
        {
            if (value is not null)
            {
                body[name] = value;
            }
        }
        var answer = await client.SendJsonAsync(
            HttpMethod.Post,
            "plans",
            () => JsonContent.Create(body, FarmJson.Default.JsonObject),
            cancellationToken
        );
        gib ??= Worker is null ? CardSheets.Find(Card)?.Gibibytes : null;
        var without = answer.TryGetProperty("without_fp8", out var other) && other.ValueKind == JsonValueKind.Object;
        var with = Answer(gib, without ? true : null, Read(answer));
        return without ? [with, Answer(gib, false, Read(other))] : [with];
    }

    private PlanAnswer Answer(double? gib, bool? fp8, PlanResult result)
    {
        var size = gib is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:0.##} GiB") : Worker ?? "";
        var card = Card.Length > 0 && Worker is null ? $"{Card}, {size}" : size;
        return new(fp8 is null ? card : $"{card}, {(fp8.Value ? "with" : "without")} fp8 products", gib, fp8, result) { Card = card };
    }

    private static PlanResult Read(JsonElement answer) =>
        new()
        {
            Plan = answer.GetProperty("plan") is { ValueKind: JsonValueKind.Object } plan
                ? plan.Deserialize(ContractsJson.Default.RenderPlan)
                : null,
            Alternatives =
            [
                .. answer
                    .GetProperty("alternatives")
                    .EnumerateArray()
                    .Select(other => other.Deserialize(ContractsJson.Default.RenderPlan)!),
            ],
            BudgetBytes = Gibibytes.ToBytes(answer.GetProperty("budget_gib").GetDouble()),
            Refusal = answer.GetProperty("refusal") is { ValueKind: JsonValueKind.Object } refusal
                ? new PlanRefusal(
                    refusal.GetProperty("message").GetString()!,
                    refusal.GetProperty("least_peak_bytes") is { ValueKind: JsonValueKind.Number } least ? least.GetInt64() : null,
                    refusal.GetProperty("field").GetString()
                )
                : null,
        };

    /// <summary>What a farm would refuse is not planned for here either.</summary>
    private void Check(PlanRequest request)
    {
        var fault =
            VideoLimits.SizeFault(request.Width, request.Height, request.Shape.Defaults) is { } size
                ? $"--size: {request.Width}x{request.Height} for {Model}: {size}"
            : request.Frames is < 1 or > VideoLimits.MaxFrames || request.Frames % 4 != 1
                ? $"--frames: {request.Frames} is not 4n+1 from 1 to {VideoLimits.MaxFrames}, such as 81"
            : request.Steps is < 1 or > VideoLimits.MaxSteps ? $"--steps: {request.Steps} is not from 1 to {VideoLimits.MaxSteps}"
            : request.GuidanceScale is not (>= 0 and <= VideoLimits.MaxGuidanceScale)
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"--guidance: {request.GuidanceScale} is not from 0 to {VideoLimits.MaxGuidanceScale}"
                )
            : Loras is < 0 or > VideoLimits.MaxLoras ? $"--loras: {Loras} is not from 0 to {VideoLimits.MaxLoras}"
            : StepCache is not null && !Word.TryParse<StepCacheKind>(StepCache, out _)
                ? $"--step-cache: '{StepCache}' is {Word.NotOneOf<StepCacheKind>(StepCache)}"
            : Quality is not null && !Word.TryParse<Contracts.Videos.Quality>(Quality, out _)
                ? $"--quality: '{Quality}' is {Word.NotOneOf<Contracts.Videos.Quality>(Quality)}"
            : HostGib is <= 0 or > 65_536 ? string.Create(CultureInfo.InvariantCulture, $"--host-memory: {HostGib} is not a number of GiB")
            : null;
        if (fault is not null)
        {
            throw new FarmException("invalid_option", fault);
        }
    }

    private static (int Width, int Height) Sides(string text) =>
        text.Split('x') is [var width, var height]
        && int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out var w)
        && int.TryParse(height, NumberStyles.None, CultureInfo.InvariantCulture, out var h)
        && w > 0
        && h > 0
            ? (w, h)
            : throw new FarmException("invalid_option", $"--size: '{text}' is not width x height, such as 832x480");
}
