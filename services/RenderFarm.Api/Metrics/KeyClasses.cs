namespace RenderFarm.Api.Metrics;

/// <summary>The label of figures that are told apart by the class of the key: a key itself is never a label.</summary>
internal static class KeyClasses
{
    public static readonly KeyValuePair<string, object?> Default = new("key_class", "default");
}
