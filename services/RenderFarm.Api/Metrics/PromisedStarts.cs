using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Forecasts;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// When jobs would begin, as the answers to their submissions had it, until their first lease tells. Kept by the process that answered:
/// of several each sees the jobs whose lease it grants too, a fair sample of all.
/// </summary>
internal sealed class PromisedStarts
{
    /// <summary>Jobs remembered; beyond that new ones are not.</summary>
    private const int Most = 20_000;

    /// <summary>A promise is kept within this part more, and so many seconds.</summary>
    private const double Leeway = 1.5;
    private const double LeewaySeconds = 30;

    private readonly ConcurrentDictionary<string, double?> _starts = new(StringComparer.Ordinal);

    public void Note(string jobId, Outlook outlook)
    {
        if (outlook.Ahead is not null && _starts.Count < Most)
        {
            _starts[jobId] = outlook.StartSeconds;
        }
    }

    /// <summary>Null where nothing was promised by this process.</summary>
    public PromiseResult? Take(string jobId, double waited) =>
        !_starts.TryRemove(jobId, out var promised) ? null
        : promised is not { } start ? PromiseResult.Unserved
        : waited <= (start * Leeway) + LeewaySeconds ? PromiseResult.Kept
        : PromiseResult.Late;
}

[JsonConverter(typeof(WordConverter<PromiseResult>))]
internal enum PromiseResult
{
    [JsonStringEnumMemberName("kept")]
    Kept,

    [JsonStringEnumMemberName("late")]
    Late,

    /// <summary>No worker took such jobs when it was submitted.</summary>
    [JsonStringEnumMemberName("unserved")]
    Unserved,
}
