using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RenderFarm.Contracts.Videos;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Making;

/// <summary>
/// The form of a new video, as typed: the fields are those of <c>POST /v1/videos</c>, by their names. What is empty is not sent, and
/// what is no number is sent as it is: the farm says what is wrong with it, at its field.
/// </summary>
public sealed class Order
{
    private static readonly string[] Texts = ["prompt", "model", "size", "seconds", "quality", "sampler", "preset"];
    private static readonly string[] Numbers = ["seed", "steps", "guidance_scale", "shift", "frames", "fps", "priority", "expires_after"];
    public static readonly string[] Pictures = ["input_reference", "last_frame"];

    private readonly Dictionary<string, string> _typed;
    private readonly Dictionary<string, string> _pictures = [];

    private Order(Dictionary<string, string> typed) => _typed = typed;

    public string? this[string name] => _typed.GetValueOrDefault(name);

    /// <summary>So many of it, each with a seed of its own.</summary>
    /// <exception cref="FarmRefusalException">It is no number, or more than a batch may have.</exception>
    private int Count =>
        this["count"]?.Trim() is not { Length: > 0 } text ? 1
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= VideoLimits.MostInBatch
            ? count
        : throw Refused("count", $"'count' is '{text}': a whole number from 1 to {VideoLimits.MostInBatch} is expected.");

    /// <summary>Each line a prompt of its own.</summary>
    public bool IsOfLines => this["lines"] is "true";

    public bool IsBatch => this["count"]?.Trim() is { Length: > 0 } and not "1" || IsOfLines || Sweeps.Any();

    /// <summary>Fields that hold several values, with commas between.</summary>
    private IEnumerable<(string Name, string[] Values)> Sweeps =>
        Numbers
            .Append("quality")
            .Select(name => (name, (this[name] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
            .Where(one => one.Item2.Length > 1);

    /// <summary>From the address: what a link has put there.</summary>
    public static Order Of(IQueryCollection query) => new(query.ToDictionary(one => one.Key, one => one.Value.ToString()));

    /// <summary>From a form that was sent, pictures and all.</summary>
    public static async Task<Order> ReadAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        var typed = form.ToDictionary(one => one.Key, one => one.Value.ToString());
        // Without scripts a chip fills no field: one that somebody has changed counts where the field is empty.
        foreach (var (field, others) in new (string Field, string[] Others)[] { ("size", []), ("seconds", ["frames"]) })
        {
            var chip = typed.GetValueOrDefault(field + "_chip");
            if (
                !string.IsNullOrEmpty(chip)
                && chip != typed.GetValueOrDefault(field + "_drawn")
                && others.Append(field).All(name => string.IsNullOrEmpty(typed.GetValueOrDefault(name)))
            )
            {
                typed[field] = chip;
            }
        }

        var order = new Order(typed);
        foreach (var file in form.Files.Where(file => file.Length > 0 && Pictures.Contains(file.Name)))
        {
            using var bytes = new MemoryStream();
            await file.CopyToAsync(bytes, request.HttpContext.RequestAborted);
            // The type is told by the bytes, whatever the browser calls it.
            order._pictures[file.Name] = $"data:image/png;base64,{Convert.ToBase64String(bytes.GetBuffer(), 0, (int)bytes.Length)}";
        }

        return order;
    }

    /// <summary>The settings of a video that is there.</summary>
    public static Order From(VideoRecord video)
    {
        var typed = new Dictionary<string, string>
        {
            ["prompt"] = video.Prompt,
            ["model"] = video.Model,
            ["size"] = video.Size,
            ["frames"] = Number(video.Frames),
            ["fps"] = Number(video.Fps),
            ["steps"] = Number(video.Steps),
            ["guidance_scale"] = Number(video.GuidanceScale),
            ["shift"] = Number(video.Shift),
            ["seed"] = Number(video.Seed),
            ["priority"] = Number(video.Priority),
            ["negative_prompt"] = video.NegativePrompt ?? "",
            ["negative"] = "true",
        };
        foreach (var (name, value) in new[] { ("quality", video.Quality), ("sampler", video.Sampler) })
        {
            if (value is not null)
            {
                typed[name] = value;
            }
        }

        typed["tags"] = string.Join(
            ", ",
            video.Metadata.Where(tag => tag.Key != VideoRecord.Star).Select(tag => tag.Value == "true" ? tag.Key : $"{tag.Key}={tag.Value}")
        );
        foreach (var (lora, i) in video.Loras.Select((lora, i) => (lora, i)))
        {
            typed[$"lora_{i}"] = lora.Name;
            typed[$"lora_strength_{i}"] = Number(lora.Strength);
        }

        return new Order(typed);
    }

    /// <summary>The body of <c>POST /v1/videos</c>.</summary>
    public JsonObject Video() => Body(Texts, Numbers.ToHashSet());

    /// <summary>What a plan depends on.</summary>
    public JsonObject Planned() =>
        Body([.. Texts.Where(name => name != "prompt")], ["frames", "steps", "guidance_scale", "fps"], first: true);

    /// <summary>The body of <c>POST /v1/batches</c>: every combination of what was given several times.</summary>
    public JsonObject Batch(Func<long> seed)
    {
        _ = Videos;
        var matrix = new JsonObject();
        if (IsOfLines)
        {
            matrix["prompt"] = new JsonArray([.. Lines.Select(line => (JsonNode)line)]);
        }

        foreach (var (name, values) in Sweeps)
        {
            matrix[name] = new JsonArray([.. values.Select(value => Numbers.Contains(name) ? NumberOf(value) : value)]);
        }

        if (Count > 1 && !matrix.ContainsKey("seed"))
        {
            var first = long.TryParse(this["seed"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : seed();
            matrix["seed"] = new JsonArray([.. Enumerable.Range(0, Count).Select(i => (JsonNode)(first + i))]);
        }

        var shared = Video();
        foreach (var (name, _) in matrix)
        {
            shared.Remove(name);
        }

        return new JsonObject { ["matrix"] = matrix, ["base"] = shared };
    }

    /// <summary>How many videos it makes.</summary>
    /// <exception cref="FarmRefusalException">More than a batch may have: nothing was made ready for them.</exception>
    public int Videos
    {
        get
        {
            var several = Sweeps.Select(sweep => (long)sweep.Values.Length).Append(IsOfLines ? Math.Max(Lines.Length, 1) : 1);
            var counted = Sweeps.Any(sweep => sweep.Name == "seed") ? several : several.Append(Count);
            var videos = counted.Aggregate(1L, (product, one) => Math.Min(product * one, int.MaxValue));
            return videos <= VideoLimits.MostInBatch
                ? (int)videos
                : throw Refused("count", $"That makes {videos} videos; a batch has at most {VideoLimits.MostInBatch}.");
        }
    }

    private string[] Lines =>
        (this["prompt"] ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private JsonObject Body(string[] texts, HashSet<string> numbers, bool first = false)
    {
        var body = new JsonObject();
        foreach (var name in texts)
        {
            if (this[name] is { Length: > 0 } text)
            {
                body[name] = first ? text.Split(',')[0].Trim() : text;
            }
        }

        foreach (var name in numbers)
        {
            if (this[name]?.Trim() is { Length: > 0 } text)
            {
                body[name] = NumberOf(first ? text.Split(',')[0].Trim() : text);
            }
        }

        if (!first && this["negative"] is "true")
        {
            body["negative_prompt"] = this["negative_prompt"] ?? "";
        }

        var loras = new JsonArray();
        for (var i = 0; this[$"lora_{i}"] is { } name; i++)
        {
            if (name.Length > 0)
            {
                var strength = this[$"lora_strength_{i}"] is { Length: > 0 } given ? given : "1";
                loras.Add(new JsonObject { ["name"] = name, ["strength"] = NumberOf(strength) });
            }
        }

        if (loras.Count > 0)
        {
            body["loras"] = loras;
        }

        foreach (var picture in Pictures)
        {
            if ((_pictures.GetValueOrDefault(picture) ?? this[$"{picture}_url"]) is { Length: > 0 } address)
            {
                body[picture] = new JsonObject { ["image_url"] = address };
            }
        }

        if (!first && this["tags"] is { Length: > 0 } tags)
        {
            body["metadata"] = new JsonObject(
                tags.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(tag => tag.Split('=', 2, StringSplitOptions.TrimEntries))
                    .DistinctBy(pair => pair[0])
                    .Select(pair => KeyValuePair.Create(pair[0], (JsonNode?)(pair.Length > 1 ? pair[1] : "true")))
            );
        }

        return body;
    }

    private static FarmRefusalException Refused(string field, string message) =>
        new(new FarmRefusal(StatusCodes.Status400BadRequest, "invalid_value", message, field));

    private static JsonNode NumberOf(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
        : text;

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
