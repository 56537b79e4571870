using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs;

/// <summary>How a lease ended.</summary>
[JsonConverter(typeof(WordConverter<LeaseEnding>))]
public enum LeaseEnding
{
    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Handed back by the worker; no attempt burnt.</summary>
    [JsonStringEnumMemberName("released")]
    Released,

    /// <summary>It ran out: the worker vanished. Reports under its fence are refused.</summary>
    [JsonStringEnumMemberName("lost")]
    Lost,
}
