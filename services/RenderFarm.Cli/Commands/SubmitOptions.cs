using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Cli.Commands;

/// <summary>The options of a submission besides <see cref="VideoOptions"/>: which model, which pictures, what to keep with it.</summary>
internal sealed class SubmitOptions
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "A model id, such as t2v-1-3b; absent for the farm's default",
    };
    private readonly Option<int?> _priority = OptionKinds.OptionalWhole("--priority", "0 to 100, higher first", 0);
    private readonly Option<string?> _seconds = new("--seconds") { Description = "Length; --frames wins over it" };
    private readonly Option<string?> _image = new("--image")
    {
        Description = "Picture to start from: a file, or an http, https or data URL",
    };
    private readonly Option<string?> _lastFrame = new("--last-frame") { Description = "Picture to end on, given in the same way" };
    private readonly Option<string[]> _loras = new("--lora") { Description = "NAME or NAME:STRENGTH; may be repeated" };
    private readonly Option<string?> _preset = new("--preset")
    {
        Description = "Settings by name, such as those of a model distilled to few steps; see ./farm models list --json",
    };
    private readonly Option<string?> _stepCache = new("--step-cache")
    {
        Description = "teacache or magcache: faster, a little unlike the full render",
    };
    private readonly Option<string?> _quality = new("--quality")
    {
        Description = "exact: the precision of the model's file; balanced: eight bits where they pay; fast: whatever is fastest",
        HelpName = "word",
    };
    private readonly Option<string[]> _metadata = new("--metadata") { Description = "KEY=VALUE, kept with the video; may be repeated" };
    private readonly Option<string?> _webhook = new("--webhook-url") { Description = "Where to post lifecycle events" };
    private readonly Option<long?> _expires = OptionKinds.OptionalLong("--expires-after", "Seconds after which the files are removed");
    private readonly Option<int?> _attempts = OptionKinds.OptionalWhole("--max-attempts", "How often a failing render is tried");
    private readonly Option<string?> _idempotency = new("--idempotency-key") { Description = "The same key again gives the same video" };
    private readonly VideoOptions _video = new();

    public void AddTo(Command command, FarmConnection connection, TimeProvider time)
    {
        _stepCache.CompletionSources.Add([.. Word.All<StepCacheKind>()]);
        _stepCache.HelpName = "kind";
        _quality.CompletionSources.Add([.. Word.All<Quality>()]);
        _model.HelpName = "model";
        _model.CompletionSources.Add(_ => ModelShapes.All.Select(shape => shape.Id));
        _model.CompleteWith(connection, time, LiveIds.Models);
        foreach (
            var option in new Option[]
            {
                _model,
                _seconds,
                _image,
                _lastFrame,
                _loras,
                _preset,
                _stepCache,
                _quality,
                _priority,
                _metadata,
                _webhook,
                _expires,
                _attempts,
                _idempotency,
            }
        )
        {
            command.Add(option);
        }

        _video.AddTo(command);
    }

    public string? IdempotencyKey(ParseResult parsed) => parsed.GetValue(_idempotency);

    public (VideoRequest Request, IReadOnlyDictionary<string, string> Files) Read(ParseResult parsed, string prompt)
    {
        var files = new Dictionary<string, string>();
        var request = _video.Read(parsed, prompt, parsed.GetValue(_model)) with
        {
            Priority = parsed.GetValue(_priority),
            Seconds = parsed.GetValue(_seconds),
            InputReference = Picture(parsed.GetValue(_image), "input_reference", files),
            LastFrame = Picture(parsed.GetValue(_lastFrame), "last_frame", files),
            Loras = parsed.GetValue(_loras) is { Length: > 0 } loras ? [.. loras.Select(Lora)] : null,
            Preset = parsed.GetValue(_preset),
            StepCache = parsed.GetValue(_stepCache) is { } kind ? new Http.StepCacheChoice(kind) : null,
            Quality = parsed.GetValue(_quality),
            Metadata = parsed.GetValue(_metadata) is { Length: > 0 } pairs
                ? pairs.Select(Pair).ToDictionary(pair => pair.Key, pair => pair.Value)
                : null,
            WebhookUrl = parsed.GetValue(_webhook),
            ExpiresAfter = parsed.GetValue(_expires),
            MaxAttempts = parsed.GetValue(_attempts),
        };
        return (request, files);
    }

    /// <summary>A link goes into the request; a file goes beside it.</summary>
    private static PictureLink? Picture(string? text, string field, Dictionary<string, string> files)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Contains("://", StringComparison.Ordinal) || text.StartsWith("data:", StringComparison.Ordinal))
        {
            return new PictureLink(text);
        }

        files[field] = File.Exists(text) ? text : throw new FarmException("no_such_file", $"there is no file {Path.GetFullPath(text)}");
        return null;
    }

    private static LoraChoice Lora(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0)
        {
            return new LoraChoice(text, null);
        }

        return
            double.TryParse(text[(colon + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var strength)
            && double.IsFinite(strength)
            ? new LoraChoice(text[..colon], strength)
            : throw new FarmException("invalid_option", $"--lora: '{text}' is not NAME or NAME:STRENGTH, such as film-look:0.8");
    }

    private static (string Key, string Value) Pair(string text) =>
        text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
            ? (text[..at], text[(at + 1)..])
            : throw new FarmException("invalid_option", $"--metadata: '{text}' is not KEY=VALUE");
}
