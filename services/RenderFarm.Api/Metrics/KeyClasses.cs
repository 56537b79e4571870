using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Metrics;

/// <summary>The label of figures that are told apart by the class of the key: a key itself is never a label.</summary>
internal static class KeyClasses
{
    /// <param name="word">Null: the default class.</param>
    public static KeyValuePair<string, object?> Label(string? word) => new("key_class", word ?? ApiKeys.DefaultClass);
}
