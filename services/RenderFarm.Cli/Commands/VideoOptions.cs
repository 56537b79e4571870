using System.CommandLine;
using RenderFarm.Cli.Http;

namespace RenderFarm.Cli.Commands;

/// <summary>The options that say what to render. Bounds are the API's to check: its errors name the field and the remedy.</summary>
public sealed class VideoOptions
{
    private readonly Option<string?> _size = new("--size") { Description = "Width x height in pixels, such as 256x256" };
    private readonly Option<int?> _frames = new("--frames") { Description = "Number of frames, 4n+1" };
    private readonly Option<int?> _fps = new("--fps") { Description = "Frames a second" };
    private readonly Option<int?> _steps = new("--steps") { Description = "Denoise steps" };
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of the starting noise; the one used is printed" };
    private readonly Option<double?> _guidance = new("--guidance") { Description = "Guidance scale" };
    private readonly Option<double?> _shift = new("--shift") { Description = "Warp of the noise schedule" };
    private readonly Option<string?> _sampler = new("--sampler") { Description = "unipc, euler or dpm++" };
    private readonly Option<string?> _negative = new("--negative")
    {
        Description = "What not to show; \"\" for nothing, absent for the model's default",
    };

    public void AddTo(Command command)
    {
        foreach (var number in new[] { _guidance, _shift })
        {
            number.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<double?>() is { } value && !double.IsFinite(value))
                {
                    result.AddError($"{number.Name}: a finite number");
                }
            });
        }
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
