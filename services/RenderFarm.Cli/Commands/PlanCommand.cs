using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>plan</c>: what would be chosen for a video on a card. Worked out here, or asked of a farm, which also knows its own models
/// and workers.
/// </summary>
internal static class PlanCommand
{
    private static readonly double?[] AllSizes = [6, 8, 12, 16, 24, 32, 48, 80];

    /// <summary>From the least that is worth a mention to the one that figures were measured on.</summary>
    private static readonly string[] TenCards =
    [
        "RTX 3060", "RTX 3090", "RTX 4060 Ti 16GB", "RTX 4070", "RTX 4090", "RTX 5090", "A100 80GB", "L40S", "H100", "H200",
    ];
    private const string All = "all";

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
        var quality = new Option<string?>("--quality")
        {
            Description = $"{string.Join(", ", Word.All<Quality>())}: how far from the precision of the model's file; absent: balanced",
            HelpName = "word",
        };
        quality.CompletionSources.Add([.. Word.All<Quality>()]);
        var vram = new Option<string?>("--vram")
        {
            Description = "GiB of the card, or all for a line per size of card; absent: what --card has, else all",
        };
        var card = new Option<string>("--card")
        {
            Description = "The card's name, such as 'RTX 4090', for memory and speed by its maker's sheet; all for a line each of ten",
            DefaultValueFactory = _ => "",
        };
        card.CompletionSources.Add(_ => CardSheets.All.Where(sheet => sheet.Bf16 is not null).Select(sheet => sheet.Name));
        var host = OptionKinds.OptionalNumber("--host-memory", "GiB of host memory for prepared weights; absent: not checked");
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
            quality,
            vram,
            card,
            host,
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
                var question = new PlanQuestion
                {
                    Model = parsed.GetValue(model)!,
                    Size = parsed.GetValue(size),
                    Frames = parsed.GetValue(frames),
                    Steps = parsed.GetValue(steps),
                    Guidance = parsed.GetValue(guidance),
                    Loras = parsed.GetValue(loras) ?? 0,
                    StepCache = parsed.GetValue(stepCache),
                    Quality = parsed.GetValue(quality),
                    Card = parsed.GetValue(card)!,
                    HostGib = parsed.GetValue(host),
                    Worker = parsed.GetValue(worker),
                };
                if (question.Worker is not null && !parsed.GetValue(server))
                {
                    throw new FarmException("invalid_option", "--worker: only a farm knows its workers; add --server");
                }

                if (question.Card == All && parsed.GetValue(vram) is not null)
                {
                    throw new FarmException("invalid_option", "--vram: each of the ten cards has its own memory; leave it out");
                }

                var answers = new List<PlanAnswer>();
                using (var client = parsed.GetValue(server) ? connection.Open(parsed, time) : null)
                {
                    foreach (var one in question.Card == All ? TenCards.Select(name => question with { Card = name }) : [question])
                    {
                        foreach (var gib in Cards(parsed.GetValue(vram), one))
                        {
                            answers.AddRange(client is null ? one.WorkOut(gib) : await one.AskAsync(client, gib, cancellationToken));
                        }
                    }
                }

                // Of many sizes or cards each is a line; of one card the one without fp8 products is worth another
                var shown = answers.Count(answer => answer.Fp8 != false) > 1 ? answers.FindAll(answer => answer.Fp8 != false) : answers;
                foreach (
                    var line in parsed.WantsJson() ? shown.Select(Json)
                    : question.Card == All ? PlanTable.InWords(shown.Select(answer => (answer.Card, answer.Result)))
                    : Table(shown)
                )
                {
                    console.Say(line);
                }

                return shown.Exists(answer => answer.Result.Plan is not null) ? 0 : ExitCodes.Failure;
            }
        );
        return command.WithExamples(
            "plan --vram 24 --model t2v-14b --size 832x480 --frames 81",
            "plan --card \"RTX 4090\" --host-memory 32",
            "plan --card all --model t2v-1-3b",
            "plan --vram all --json",
            "plan --server --worker rack-1 --model demo"
        );
    }

    /// <summary>Sizes to ask about; null stands for what the card or the worker has.</summary>
    private static double?[] Cards(string? text, PlanQuestion question) =>
        question.Worker is not null ? [null]
        : text is null ? question.Card.Length > 0 ? [null] : AllSizes
        : text == All ? AllSizes
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var gib) && gib is > 0 and <= 1024 ? [gib]
        : throw new FarmException("invalid_option", $"--vram: '{text}' is neither a number of GiB nor all");

    private static IEnumerable<string> Table(List<PlanAnswer> answers) =>
        answers.Count > 2
            ? PlanTable.Of(answers.Select(answer => (answer.Heading, answer.Result)))
            : answers.SelectMany((answer, place) => Sheet(answer, place, answers.Count));

    private static IEnumerable<string> Sheet(PlanAnswer answer, int place, int of)
    {
        string[] between = place > 0 ? [""] : [];
        string[] heading = of > 1 || answer.Heading.Length > 0 ? [answer.Heading] : [];
        return [.. between, .. heading, .. PlanTable.Of(answer.Result)];
    }

    /// <summary>The plan's own members first, for they are what is asked for; then the ladder it was chosen from.</summary>
    private static string Json(PlanAnswer answer)
    {
        var result = answer.Result;
        var json = result.Plan is { } plan
            ? JsonSerializer.SerializeToNode(plan, ContractsJson.Default.RenderPlan)!.AsObject()
            : new JsonObject { ["fits"] = false };
        if (result.Refusal is { } refusal)
        {
            json["reasons"] = new JsonArray(refusal.Message);
            json["least_peak_bytes"] = refusal.LeastPeakBytes;
        }

        if (answer.Gib is { } gib)
        {
            json["vram_gib"] = gib;
        }

        if (answer.Fp8 is { } fp8)
        {
            json["fp8_products"] = fp8;
        }

        json["budget_bytes"] = result.BudgetBytes;
        json["alternatives"] = new JsonArray([
            .. result.Alternatives.Select(other => JsonSerializer.SerializeToNode(other, ContractsJson.Default.RenderPlan)),
        ]);
        return json.ToJsonString(FarmJson.Plain.Options);
    }
}
