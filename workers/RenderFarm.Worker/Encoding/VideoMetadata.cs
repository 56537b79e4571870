using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Worker.Encoding;

/// <summary>
/// What a video says of itself: the prompt as its title, everything needed to render it again as JSON in its comment.
/// It goes to ffmpeg as a file, because a long prompt does not fit into an argument.
/// </summary>
internal static class VideoMetadata
{
    private const int LongestTitle = 250;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>ffmpeg's own metadata format, version 1.</summary>
    public static string Of(RenderSpec spec, RenderPlan plan)
    {
        var comment = new Dictionary<string, object>
        {
            ["prompt"] = Printable(spec.Prompt),
            ["negative_prompt"] = Printable(spec.NegativePrompt),
            ["model"] = spec.Model,
            ["seed"] = spec.Seed,
            ["size"] = $"{spec.Width}x{spec.Height}",
            ["frames"] = spec.Frames,
            ["fps"] = spec.Fps,
            ["steps"] = spec.Steps,
            ["guidance_scale"] = spec.GuidanceScale,
            ["shift"] = spec.Shift,
            ["sampler"] = Word.Of(spec.Sampler),
            ["loras"] = spec.Loras.Select(lora => $"{lora.Name}:{FormattableString.Invariant($"{lora.Strength}")}"),
            ["precision"] = Word.Of(plan.Precision),
            ["encoder"] = "RenderFarm",
        };
        var title = Printable(spec.Prompt);
        return new StringBuilder(";FFMETADATA1\n")
            .Append("title=")
            .Append(Escaped(Shortened(title)))
            .Append('\n')
            .Append("comment=")
            .Append(Escaped(JsonSerializer.Serialize(comment, Readable)))
            .Append('\n')
            .ToString();
    }

    /// <summary>Line breaks become spaces, other control characters and lone surrogates go.</summary>
    private static string Printable(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\n' or '\r' or '\t')
            {
                kept.Append(' ');
            }
            else if (!Rune.IsControl(rune) && rune != Rune.ReplacementChar)
            {
                kept.Append(rune);
            }
        }

        return kept.ToString().Trim();
    }

    private static string Shortened(string title)
    {
        if (title.Length <= LongestTitle)
        {
            return title;
        }

        var end = char.IsHighSurrogate(title[LongestTitle - 1]) ? LongestTitle - 1 : LongestTitle;
        return title[..end] + "…";
    }

    private static string Escaped(string value)
    {
        var escaped = new StringBuilder(value.Length + 16);
        foreach (var c in value)
        {
            if (c is '=' or ';' or '#' or '\\')
            {
                escaped.Append('\\');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }
}
