using System.CommandLine;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Cli.Commands;

/// <summary>The options that say what to render. Bounds are the API's to check: its errors name the field and the remedy.</summary>
internal sealed class VideoOptions
{
    private readonly Option<string?> _size = new("--size") { Description = "Width x height in pixels, such as 256x256" };
    private readonly Option<int?> _frames = OptionKinds.OptionalWhole("--frames", "Number of frames, 4n+1");
    private readonly Option<int?> _fps = OptionKinds.OptionalWhole("--fps", "Frames a second");
    private readonly Option<int?> _steps = OptionKinds.OptionalWhole("--steps", "Denoise steps");
    private readonly Option<long?> _seed = OptionKinds.OptionalLong("--seed", "Seed of the starting noise; the one used is printed");
    private readonly Option<double?> _guidance = OptionKinds.OptionalNumber("--guidance", "Guidance scale");
    private readonly Option<double?> _shift = OptionKinds.OptionalNumber("--shift", "Warp of the noise schedule");
    private readonly Option<string?> _sampler = new("--sampler") { Description = string.Join(", ", Word.All<Sampler>()) };
    private readonly Option<string?> _negative = new("--negative")
    {
        Description = "What not to show; \"\" for nothing, absent for the model's default",
    };

    public void AddTo(Command command)
    {
        _sampler.CompletionSources.Add([.. Word.All<Sampler>()]);
        foreach (var option in new Option[] { _size, _frames, _fps, _steps, _seed, _guidance, _shift, _sampler, _negative })
        {
            command.Add(option);
        }
    }

    public VideoRequest Read(ParseResult parsed, string prompt, string? model) =>
        new()
        {
            Prompt = prompt,
            Model = model,
            Size = parsed.GetValue(_size),
            Frames = parsed.GetValue(_frames),
            Fps = parsed.GetValue(_fps),
            Steps = parsed.GetValue(_steps),
            Seed = parsed.GetValue(_seed),
            GuidanceScale = parsed.GetValue(_guidance),
            Shift = parsed.GetValue(_shift),
            Sampler = parsed.GetValue(_sampler),
            NegativePrompt = parsed.GetValue(_negative),
        };
}
