using System.Text.Json;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>What a LoRA is, and what its trainer wrote into it.</summary>
public sealed record AdapterDescription
{
    /// <summary><c>LoRA</c>, <c>DoRA</c>, <c>LoHa</c>, <c>LoKr</c>, <c>whole tensors</c>: all in it, the most frequent first.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>The largest of its ranks; null where nothing has one.</summary>
    public long? Rank { get; init; }

    /// <summary>Who says how much it counts; <c>none</c> where it counts once.</summary>
    public required string AlphaFrom { get; init; }

    /// <summary>As its header has it.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Words of a prompt that it was trained on, as its header has them.</summary>
    public IReadOnlyList<string> TriggerWords { get; init; } = [];

    /// <summary>What its trainer wrote of what it is for.</summary>
    internal static (string? BaseModel, IReadOnlyList<string> TriggerWords) Written(IReadOnlyDictionary<string, string> metadata)
    {
        string? First(params string[] keys) =>
            keys.Select(key => metadata.GetValueOrDefault(key)?.Trim())
                .FirstOrDefault(text => text is { Length: > 0 and <= 200 } && text is not ("None" or "null"));
        var words = First("modelspec.trigger_phrase", "trigger_phrase", "trigger_words", "trigger_word", "trained_words");
        return (
            First("ss_base_model_version", "base_model", "modelspec.architecture", "ss_sd_model_name", "base_model_name_or_path"),
            words is null ? [] : Words(words)
        );
    }

    /// <summary>A JSON list, or words with commas between them.</summary>
    private static List<string> Words(string text)
    {
        if (text.StartsWith('['))
        {
            try
            {
                using var list = JsonDocument.Parse(text);
                return [.. list.RootElement.EnumerateArray().Select(word => word.ToString()).Where(word => word.Length > 0)];
            }
            catch (JsonException)
            {
                return [text]; // It only looks like a list
            }
        }

        return [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
