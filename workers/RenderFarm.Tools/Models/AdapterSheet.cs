using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Tools.Models;

/// <summary>A LoRA for people, on one line.</summary>
internal static class AdapterSheet
{
    public static string Line(AdapterDescription adapter)
    {
        var words = string.Join(", ", adapter.TriggerWords);
        return $"{string.Join(" and ", adapter.Kinds)}{(adapter.Rank is { } rank ? $", rank {rank}" : "")}, alpha: {adapter.AlphaFrom}"
            + (adapter.BaseModel is { } model ? $", trained on {model}" : "")
            + (words.Length > 0 ? $", trigger words: {words}" : "");
    }
}
