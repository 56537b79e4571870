using System.Text.Json.Serialization;

namespace RenderFarm.Worker.Metrics;

/// <summary>What a render found when it began.</summary>
internal enum RenderStart
{
    /// <summary>No prepared weights of its model.</summary>
    [JsonStringEnumMemberName("cold")]
    Cold,

    /// <summary>Prepared weights on its host.</summary>
    [JsonStringEnumMemberName("warm")]
    Warm,

    /// <summary>A renderer that stood by with its model's weights.</summary>
    [JsonStringEnumMemberName("standby")]
    Standby,
}
