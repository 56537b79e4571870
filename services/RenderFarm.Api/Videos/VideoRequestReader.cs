using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Inputs;
using RenderFarm.Api.Requests;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Videos;

/// <summary>Turns a request's fields into a <see cref="VideoRequest"/>, or names the first field that is wrong.</summary>
internal static class VideoRequestReader
{
    public const int MaxPromptLength = 32_000;
    private static readonly string[] PictureFields = [InputRoles.FirstFrame, InputRoles.LastFrame];

    public static VideoRequest Read(RequestBody body)
    {
        var fields = new FieldReader(body.Fields);
        var request = new VideoRequest
        {
            Prompt = Prompt(fields),
            Model = fields.Text("model", 200, mayBeEmpty: false),
            Seconds = Seconds(fields),
            Size = Size(fields),
            InputReference = Reference(fields, InputRoles.FirstFrame, body),
            LastFrame = Reference(fields, InputRoles.LastFrame, body),
            NegativePrompt = fields.Text("negative_prompt", MaxPromptLength),
            Seed = fields.Whole("seed", 0, long.MaxValue),
            Steps = (int?)fields.Whole("steps", 1, VideoLimits.MaxSteps),
            GuidanceScale = fields.Number("guidance_scale", 0, VideoLimits.MaxGuidanceScale),
            Shift = fields.Number("shift", 0.01, 100),
            Sampler = fields.Choice<Sampler>("sampler"),
            Frames = Frames(fields),
            Fps = (int?)fields.Whole("fps", 1, 60),
            Preset = fields.Text("preset", 100, mayBeEmpty: false),
            StepCache = StepCache(fields.Object("step_cache")),
            Loras = Loras(fields),
            Priority = (int?)fields.Whole("priority", 0, 100),
            WebhookUrl = WebhookUrl(fields),
            Metadata = fields.Strings("metadata", maxPairs: 16, maxKey: 64, maxValue: 512) ?? new Dictionary<string, string>(),
            ExpiresAfter = fields.Whole("expires_after", 60, 365 * 86_400) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Quality = fields.Choice<Quality>("quality"),
            Plan = Pins(fields.Object("plan")),
            Debug = Switches(fields.Object("debug")),
            MaxAttempts = (int?)fields.Whole("max_attempts", 1, 10),
        };
        fields.RefuseRest();
        RefuseOtherFiles(body.Files);
        return request;
    }

    /// <summary>The prompt of a remix; everything else is the source's.</summary>
    public static string ReadRemix(RequestBody body)
    {
        var fields = new FieldReader(body.Fields);
        var prompt = Prompt(fields);
        fields.RefuseRest();
        return body.Files is [var stray, ..] ? throw ApiError.UnknownParameter(stray.Field, "prompt").AsException() : prompt;
    }

    private static string Prompt(FieldReader fields)
    {
        var prompt = fields.Text("prompt", MaxPromptLength) ?? throw fields.Invalid("prompt", "is required");
        return string.IsNullOrWhiteSpace(prompt) ? throw fields.Invalid("prompt", "must not be empty") : prompt;
    }

    /// <summary>However short: the nearest number of frames is rendered, and that is one at the least.</summary>
    private static double? Seconds(FieldReader fields)
    {
        var seconds = fields.Number("seconds", 0, 3600);
        return seconds == 0
            ? throw fields.Invalid("seconds", "is 0; it must be above 0 and at most 3600, or left out for the model's length")
            : seconds;
    }

    private static FrameSize? Size(FieldReader fields)
    {
        if (fields.Text("size", 40) is not { } text)
        {
            return null;
        }

        var sides = text.Split('x');
        return sides.Length == 2 && Side(sides[0]) is { } width && Side(sides[1]) is { } height
            ? new FrameSize(width, height)
            : throw fields.Invalid("size", $"is '{text}'; it must be WIDTHxHEIGHT in pixels, such as 832x480");

        static int? Side(string text) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side > 0 ? side : null;
    }

    private static int? Frames(FieldReader fields)
    {
        if (fields.Whole("frames", 1, VideoLimits.MaxFrames) is not { } frames)
        {
            return null;
        }

        var below = frames - ((frames - 1) % 4);
        return frames == below
            ? (int)frames
            : throw fields.Invalid(
                "frames",
                FormattableString.Invariant($"is {frames}; it must be 4n+1, and the nearest are {below} and {below + 4}")
            );
    }

    private static InputReference? Reference(FieldReader fields, string field, RequestBody body)
    {
        UploadedFile[] given = [.. body.Files.Where(file => file.Field == field)];
        var link = fields.Object(field);
        if (given.Length + (link is null ? 0 : 1) > 1)
        {
            throw fields.Invalid(field, given.Length > 1 ? "is given more than once" : "is given both as a file and as a link");
        }

        if (link is null)
        {
            return given is [var file] ? new InputReference(null, file) : null;
        }

        const string Wanted = "must be an http, https or data URL";
        if (body.LongTexts.TryGetValue(link.Name("image_url"), out var text))
        {
            link.RefuseRest();
            return text.StartsWith(DataUrl.Scheme) ? new InputReference(null, null, text) : throw link.Invalid("image_url", Wanted);
        }

        var url = link.Text("image_url", BodyShape.LongestText) ?? throw link.Invalid("image_url", "is required");
        link.RefuseRest();
        return url.StartsWith(DataUrl.Scheme, StringComparison.OrdinalIgnoreCase) || IsWebAddress(url)
            ? new InputReference(url, null)
            : throw link.Invalid("image_url", Wanted);
    }

    private static void RefuseOtherFiles(IReadOnlyList<UploadedFile> files)
    {
        if (files.FirstOrDefault(file => !PictureFields.Contains(file.Field)) is { } stray)
        {
            throw ApiError.UnknownParameter(stray.Field, NearestName.To(stray.Field, PictureFields) ?? PictureFields[0]).AsException();
        }
    }

    private static string? WebhookUrl(FieldReader fields)
    {
        var url = fields.Text("webhook_url", 2048);
        return url is null || IsWebAddress(url) ? url : throw fields.Invalid("webhook_url", "must be an absolute http or https URL");
    }

    private static bool IsWebAddress(string text) =>
        !text.Any(char.IsControl) && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";

    private static IReadOnlyList<LoraReference> Loras(FieldReader fields)
    {
        var loras = new List<LoraReference>();
        foreach (var item in fields.Objects("loras", VideoLimits.MaxLoras) ?? [])
        {
            var name = LoraName(item);
            if (loras.Exists(lora => lora.Name == name))
            {
                throw item.Invalid("name", $"is '{name}' once more; name each LoRA once, with the strength it is to have");
            }

            loras.Add(new LoraReference(name, item.Number("strength", -10, 10) ?? 1));
            item.RefuseRest();
        }

        return loras;
    }

    /// <summary>Workers look for a file of that name; a name is never a path.</summary>
    private static string LoraName(FieldReader item)
    {
        var name = item.Text("name", 200, mayBeEmpty: false) ?? throw item.Invalid("name", "is required");
        return name[0] != '.' && !name.Any(c => c is '/' or '\\' || char.IsControl(c))
            ? name
            : throw item.Invalid("name", "must be the plain name of a LoRA, without '/', '\\' or a leading '.'");
    }

    private static StepCacheChoice? StepCache(FieldReader? cache)
    {
        if (cache is null)
        {
            return null;
        }

        var kind = cache.Choice<StepCacheKind>("kind") ?? throw cache.Invalid("kind", $"is required: "
            + $"{string.Join(" or ", Word.All<StepCacheKind>())}");
        var choice = new StepCacheChoice(
            kind,
            cache.Number("threshold", 0, 10)
        );
        cache.RefuseRest();
        return choice;
    }

    private static PlanPins? Pins(FieldReader? plan)
    {
        if (plan is null)
        {
            return null;
        }

        var pins = new PlanPins
        {
            Precision = plan.Choice<Precision>("precision"),
            Attention = plan.Choice<AttentionPrecision>("attention"),
            BlocksStreamed = (int?)plan.Whole("blocks_streamed", 0, 1_000),
            FfnChunkTokens = (int?)plan.Whole("ffn_chunk_tokens", 0, 10_000_000),
            TextEncoder = plan.Choice<TextEncoderPlacement>("text_encoder"),
            VaeTile = (int?)plan.Whole("vae_tile", 0, 4_096),
            GuidanceBatched = plan.Flag("guidance_batched"),
        };
        plan.RefuseRest();
        return pins;
    }

    private static DebugSwitches? Switches(FieldReader? debug)
    {
        if (debug is null)
        {
            return null;
        }

        var switches = new DebugSwitches
        {
            CudaLaunchBlocking = debug.Flag("cuda_launch_blocking") ?? false,
            SynchronousCopies = debug.Flag("synchronous_copies") ?? false,
            DeviceMemoryBytes = debug.Whole("device_memory_bytes", 1, long.MaxValue),
        };
        debug.RefuseRest();
        return switches;
    }
}
