using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Showing;
using RenderFarm.Planning;
using RenderFarm.Planning.Models;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>plan</c>: what would be chosen for a video on a card, without a farm.</summary>
public static class PlanCommand
{
    private static readonly double[] CardSizes = [6, 8, 12, 16, 24, 32, 48, 80];

    public static Command Create(CommandRunner run, IAnsiConsole console)
    {
        var model = new Option<string>("--model") { Description = "A model id", DefaultValueFactory = _ => "t2v-14b" };
        var size = new Option<string?>("--size") { Description = "Width x height; absent for the model's default" };
        var frames = new Option<int?>("--frames") { Description = "4n+1" };
        var steps = new Option<int?>("--steps") { Description = "Denoise steps" };
        var guidance = new Option<double?>("--guidance") { Description = "Guidance scale" };
        var vram = new Option<double?>("--vram") { Description = "GiB of the card; absent for a line per size of card" };
        var card = new Option<string>("--card") { Description = "The card's name, such as 'RTX 4090': its speed is estimated from it", DefaultValueFactory = _ => "" };
        var command = new Command("plan", "Say what would be chosen for a video on a card") { model, size, frames, steps, guidance, vram, card };
        run.Run(command, (parsed, _) =>
        {
            var shape = ModelShapes.Find(parsed.GetValue(model)!)
                ?? throw new FarmException("unknown_model", $"there is no model '{parsed.GetValue(model)}'; there are {string.Join(", ", ModelShapes.All.Select(known => known.Id))}");
            var request = PlanRequest.DefaultOf(shape);
            var (width, height) = parsed.GetValue(size) is { } text ? Size(text) : (request.Width, request.Height);
            request = request with
            {
                Width = width,
                Height = height,
                Frames = parsed.GetValue(frames) ?? request.Frames,
                Steps = parsed.GetValue(steps) ?? request.Steps,
                GuidanceScale = parsed.GetValue(guidance) ?? request.GuidanceScale,
            };
            console.Say(string.Create(CultureInfo.InvariantCulture, $"{shape.Id}, {request.Width}x{request.Height}, {request.Frames} frames, {request.Steps} steps"));
            var lines = parsed.GetValue(vram) is { } gib
                ? PlanTable.Of(Planner.Plan(request, SlotState.Gpu(gib, parsed.GetValue(card)!)))
                : PlanTable.Of(CardSizes.Select(gib => (string.Create(CultureInfo.InvariantCulture, $"{gib} GiB"), Planner.Plan(request, SlotState.Gpu(gib, parsed.GetValue(card)!)))));
            foreach (var line in lines)
                console.Say(line);
            return Task.FromResult(0);
        });
        return command;
    }

    private static (int Width, int Height) Size(string text)
        => text.Split('x') is [var width, var height]
            && int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out var w) && int.TryParse(height, NumberStyles.None, CultureInfo.InvariantCulture, out var h)
            && w > 0 && h > 0
            ? (w, h)
            : throw new FarmException("invalid_option", $"--size: '{text}' is not width x height, such as 832x480");
}
