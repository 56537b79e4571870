using System.Text.Json.Nodes;
using RenderFarm.Api.Requests;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Videos;

/// <summary>Which videos are meant: the same fields in the query of a list and in the body of a bulk action.</summary>
internal sealed class VideoFilterReader(WorkerRegistry workers)
{
    public const int MostIds = 1_000;
    private const int LongestText = 200;

    /// <summary>What is not of the page's place.</summary>
    public async Task<JobFilter> OfQueryAsync(IQueryCollection query, CancellationToken cancellationToken)
    {
        var tree = new BracketTree();
        foreach (var (name, values) in query.Where(pair => !ListQuery.IsPlace(pair.Key)))
        {
            foreach (var value in values)
            {
                tree.Add(name, value ?? "");
            }
        }

        return await ReadAsync(new FieldReader(tree.ToJson()), ids: null, cancellationToken);
    }

    /// <param name="fields">The body's <c>filter</c>.</param>
    /// <param name="tree">The same, for its list of ids.</param>
    public Task<JobFilter> OfBodyAsync(FieldReader fields, JsonNode? tree, CancellationToken cancellationToken)
    {
        IReadOnlyList<string>? ids = null;
        if (fields.Has("ids"))
        {
            ids =
                tree?["ids"] is JsonArray { Count: <= MostIds } list
                && list.All(id => id is JsonValue value && value.TryGetValue<string>(out _))
                    ? [.. list.Select(id => id!.GetValue<string>())]
                    : throw fields.Invalid("ids", $"must be a list of at most {MostIds} ids");
        }

        return ReadAsync(fields, ids, cancellationToken);
    }

    private async Task<JobFilter> ReadAsync(FieldReader fields, IReadOnlyList<string>? ids, CancellationToken cancellationToken)
    {
        var states = StatesOf(fields);
        var code = fields.Text("error_code", LongestText, mayBeEmpty: false);
        if (code == Word.Of(JobState.Cancelled))
        {
            // A cancelled video shows an error of this code, and has none of its own
            (states, code) = ([.. states.Count == 0 ? [JobState.Cancelled] : states.Where(state => state == JobState.Cancelled)], null);
            ids = states.Count == 0 ? [] : ids;
        }

        var filter = new JobFilter
        {
            States = states,
            Model = fields.Text("model", LongestText, mayBeEmpty: false),
            Workers = await WorkersOfAsync(fields, cancellationToken),
            BatchId = fields.Text("batch", LongestText, mayBeEmpty: false),
            ErrorCode = code,
            Metadata = fields.Strings("metadata", maxPairs: 16, maxKey: 64, maxValue: 512) ?? new Dictionary<string, string>(),
            Text = fields.Text("text", LongestText, mayBeEmpty: false),
            CreatedFrom = TimeOf(fields, "created_after"),
            CreatedBefore = TimeOf(fields, "created_before"),
            Ids = ids,
        };
        fields.RefuseRest();
        return filter;
    }

    /// <summary>One word, or several with commas between them.</summary>
    private static IReadOnlyList<JobState> StatesOf(FieldReader fields)
    {
        if (fields.Text("status", LongestText, mayBeEmpty: false) is not { } text)
        {
            return [];
        }

        return
        [
            .. text.Split(',', StringSplitOptions.TrimEntries)
                .SelectMany(word =>
                    Word.TryParse<VideoState>(word, out var state)
                        ? StatesOf(state)
                        : throw fields.Invalid("status", $"is '{word}', {Word.NotOneOf<VideoState>(word)}")
                )
                .Distinct(),
        ];
    }

    private static IReadOnlyList<JobState> StatesOf(VideoState state) =>
        state switch
        {
            VideoState.Queued => [JobState.Queued],
            VideoState.InProgress => [JobState.Leased, JobState.Rendering, JobState.Uploading],
            VideoState.Completed => [JobState.Completed],
            VideoState.Failed => [JobState.Failed],
            VideoState.Cancelled => [JobState.Cancelled],
            VideoState.Expired => [JobState.Expired],
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "no such state"),
        };

    /// <summary>By id, or by the name that workers are called by now; of a name that two have, both.</summary>
    private async Task<IReadOnlyList<string>?> WorkersOfAsync(FieldReader fields, CancellationToken cancellationToken)
    {
        if (fields.Text("worker", LongestText, mayBeEmpty: false) is not { } named)
        {
            return null;
        }

        var known = await workers.ListAsync(cancellationToken);
        var ids = known.Where(worker => worker.Name == named).Select(worker => worker.Id).ToList();
        return ids.Count > 0 ? ids : [named];
    }

    private static DateTimeOffset? TimeOf(FieldReader fields, string field) =>
        fields.Whole(field, 0, 253_402_300_799) is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
