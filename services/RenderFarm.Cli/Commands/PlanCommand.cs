using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>plan</c>: what would be chosen for a video on a card. Worked out here, or asked of a farm, which also knows its own models
/// and workers.
/// </summary>
internal static class PlanCommand
{
    private static readonly double[] CardSizes = [6, 8, 12, 16, 24, 32, 48, 80];

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var model = new Option<string>("--model") { Description = "A model id", DefaultValueFactory = _ => "t2v-14b" };
        var size = new Option<string?>("--size") { Description = "Width x height; absent for the model's default" };
        var frames = OptionKinds.OptionalWhole("--frames", "4n+1", int.MinValue);
        var steps = OptionKinds.OptionalWhole("--steps", "Denoise steps", int.MinValue);
        var guidance = OptionKinds.OptionalNumber("--guidance", "Guidance scale");
        var loras = OptionKinds.OptionalWhole("--loras", "How many LoRAs run with it", int.MinValue);
        var stepCache = new Option<string?>("--step-cache")
        {
            Description = string.Join(" or ", Word.All<StepCacheKind>()),
            HelpName = "kind",
        };
        stepCache.CompletionSources.Add([.. Word.All<StepCacheKind>()]);
        var vram = new Option<string>("--vram")
        {
            Description = "GiB of the card, or all for a line per size of card",
            DefaultValueFactory = _ => "all",
        };
        var card = new Option<string>("--card")
        {
            Description = "The card's name, such as 'RTX 4090': its speed is estimated from it",
            DefaultValueFactory = _ => "",
        };
        var server = new Option<bool>("--server") { Description = "Ask the farm instead of working it out here" };
        var worker = new Option<string?>("--worker") { Description = "With --server: the largest slot of this worker instead of --vram" };
        var connection = new FarmConnection();
        var command = new Command("plan", "Say what would be chosen for a video on a card")
        {
            model,
            size,
            frames,
            steps,
            guidance,
            loras,
            stepCache,
            vram,
            card,
            server,
            worker,
            JsonSwitch.Option,
        };
        connection.AddTo(command);
        worker.CompleteWith(connection, time, LiveIds.Workers);
        model.HelpName = "model";
        model.CompletionSources.Add(_ => ModelShapes.All.Select(shape => shape.Id));
        model.CompleteWith(connection, time, LiveIds.Models);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                var question = new PlanQuestion(
                    parsed.GetValue(model)!,
                    parsed.GetValue(size),
                    parsed.GetValue(frames),
                    parsed.GetValue(steps),
                    parsed.GetValue(guidance),
                    parsed.GetValue(loras) ?? 0,
                    parsed.GetValue(stepCache),
                    parsed.GetValue(card)!
                );
                var byWorker = parsed.GetValue(worker);
                if (byWorker is not null && !parsed.GetValue(server))
                {
                    throw new FarmException("invalid_option", "--worker: only a farm knows its workers; add --server");
                }

                var cards = byWorker is not null ? [0] : Cards(parsed.GetValue(vram)!);
                var results = new List<(double Gib, PlanResult Result)>();
                using (var client = parsed.GetValue(server) ? connection.Open(parsed, time) : null)
                {
                    foreach (var gib in cards)
                    {
                        results.Add(
                            (
                                gib,
                                client is null ? question.WorkOut(gib) : await question.AskAsync(client, gib, byWorker, cancellationToken)
                            )
                        );
                    }
                }
                foreach (
                    var line in parsed.WantsJson() ? results.Select(result => Json(result.Gib, result.Result, byWorker)) : Table(results)
                )
                {
                    console.Say(line);
                }

                return results.Any(result => result.Result.Plan is not null) ? 0 : ExitCodes.Failure;
            }
        );
        return command.WithExamples(
            "plan --vram 24 --model t2v-14b --size 832x480 --frames 81",
            "plan --vram all --json",
            "plan --server --worker rack-1 --model demo"
        );
    }

    private static double[] Cards(string text) =>
        text == "all" ? CardSizes
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var gib) && gib is > 0 and <= 1024 ? [gib]
        : throw new FarmException("invalid_option", $"--vram: '{text}' is neither a number of GiB nor all");

    private static IEnumerable<string> Table(List<(double Gib, PlanResult Result)> results) =>
        results is [var (_, only)]
            ? PlanTable.Of(only)
            : PlanTable.Of(results.Select(result => (string.Create(CultureInfo.InvariantCulture, $"{result.Gib} GiB"), result.Result)));

    /// <summary>The plan's own members first, for they are what is asked for; then the ladder it was chosen from.</summary>
    private static string Json(double gib, PlanResult result, string? worker)
    {
        var json = result.Plan is { } plan
            ? JsonSerializer.SerializeToNode(plan, ContractsJson.Default.RenderPlan)!.AsObject()
            : new JsonObject { ["fits"] = false };
        if (result.Refusal is { } refusal)
        {
            json["reasons"] = new JsonArray(refusal.Message);
            json["least_peak_bytes"] = refusal.LeastPeakBytes;
        }
        if (worker is null)
        {
            json["vram_gib"] = gib;
        }

        json["budget_bytes"] = result.BudgetBytes;
        json["alternatives"] = new JsonArray([
            .. result.Alternatives.Select(other => JsonSerializer.SerializeToNode(other, ContractsJson.Default.RenderPlan)),
        ]);
        return json.ToJsonString(FarmJson.Plain.Options);
    }

    private sealed record PlanQuestion(
        string Model,
        string? Size,
        int? Frames,
        int? Steps,
        double? Guidance,
        int Loras,
        string? StepCache,
        string Card
    )
    {
        public PlanResult WorkOut(double gib)
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
            return Planner.Plan(request, SlotState.Gpu(gib, Card));
        }

        public async Task<PlanResult> AskAsync(FarmClient client, double gib, string? worker, CancellationToken cancellationToken)
        {
            var body = new JsonObject { ["model"] = Model };
            if (worker is null)
            {
                body["vram_gib"] = gib;
            }
            else
            {
                body["worker"] = worker;
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
                    ("gpu", worker is null && Card.Length > 0 ? Card : null),
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
            return new PlanResult
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
        }

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
}
