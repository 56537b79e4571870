using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Checks;

/// <summary>
/// One thing that a program of the farm found of the host it is on. Each program prints its own: <c>PROGRAM doctor --json</c>.
/// </summary>
public sealed record HostCheck(string Subject, HostCheckResult Result, string Finding)
{
    /// <summary>What to do about it; null when nothing needs doing.</summary>
    public string? Remedy { get; init; }

    public static HostCheck Ok(string subject, string finding) => new(subject, HostCheckResult.Ok, finding);

    public static HostCheck Lacks(string subject, string finding, string remedy) =>
        new(subject, HostCheckResult.Lacks, finding) { Remedy = remedy };

    /// <summary>It isn't there, or is less than it could be, and things work without.</summary>
    public static HostCheck Without(string subject, string finding, string? remedy = null) =>
        new(subject, HostCheckResult.Without, finding) { Remedy = remedy };
}

[JsonConverter(typeof(WordConverter<HostCheckResult>))]
public enum HostCheckResult
{
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>The farm can do without.</summary>
    [JsonStringEnumMemberName("without")]
    Without,

    /// <summary>Something won't work.</summary>
    [JsonStringEnumMemberName("lacks")]
    Lacks,
}
