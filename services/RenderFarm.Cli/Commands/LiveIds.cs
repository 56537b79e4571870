using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Cli.Commands;

/// <summary>Completion with what the farm has at this moment. A shell waits: no farm, or a slow one, completes nothing.</summary>
internal static class LiveIds
{
    private const int Most = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public static readonly Source Videos = new("videos", "id");
    public static readonly Source UnfinishedVideos = Videos.In(Word.Of(VideoStatus.Queued), Word.Of(VideoStatus.InProgress));
    public static readonly Source CompletedVideos = Videos.In(Word.Of(VideoStatus.Completed));
    public static readonly Source FailedVideos = Videos.In(Word.Of(VideoStatus.Failed));
    public static readonly Source Batches = new("batches", "id");
    public static readonly Source UnfinishedBatches = Batches.In(Word.Of(BatchState.Queued), Word.Of(BatchState.InProgress));
    public static readonly Source Workers = new("workers", "name");
    public static readonly Source Invitations = new("workers/invitations", "id");
    public static readonly Source Models = new("models", "id");
    public static readonly Source Keys = new("keys", "id");

    /// <param name="argument">What is completed.</param>
    /// <param name="connection">Of its verb.</param>
    /// <param name="time">The clock of the request.</param>
    /// <param name="sources">Lists of the farm.</param>
    public static void CompleteWith(this Argument argument, FarmConnection connection, TimeProvider time, params Source[] sources) =>
        argument.CompletionSources.Add(context => Ask(context, connection, time, sources));

    /// <inheritdoc cref="CompleteWith(Argument, FarmConnection, TimeProvider, Source[])"/>
    public static void CompleteWith(this Option option, FarmConnection connection, TimeProvider time, params Source[] sources) =>
        option.CompletionSources.Add(context => Ask(context, connection, time, sources));

    private static IEnumerable<CompletionItem> Ask(
        CompletionContext context,
        FarmConnection connection,
        TimeProvider time,
        Source[] sources
    )
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var client = connection.Open(context.ParseResult, time);
            var answers = sources.Select(source => (source, client.GetJsonAsync(source.Address, patience.Token))).ToList();
            Task.WhenAll(answers.Select(answer => answer.Item2)).GetAwaiter().GetResult();
            return [.. answers.SelectMany(answer => answer.source.Of(answer.Item2.Result)).Select(id => new CompletionItem(id))];
        }
        catch (Exception error) when (error is FarmException or OperationCanceledException or JsonException)
        {
            // Nothing can be said at a key press; the verb itself will say it.
            return [];
        }
    }

    /// <summary>A list of the farm and the member that names what is in it.</summary>
    /// <param name="List">Under <c>/v1</c>.</param>
    /// <param name="Member">Such as <c>id</c>.</param>
    /// <param name="States">Only what has one of these; null: everything.</param>
    internal sealed record Source(string List, string Member, IReadOnlyList<string>? States = null)
    {
        public string Address => List is "videos" or "batches" ? $"{List}?limit={Most}" : List;

        public Source In(params string[] states) => this with { States = states };

        public IEnumerable<string> Of(JsonElement answer) =>
            answer
                .GetProperty("data")
                .EnumerateArray()
                .Where(one => States is null || (one.TryGetProperty("status", out var status) && States.Contains(status.GetString())))
                .Select(one => one.GetProperty(Member).GetString() ?? "");
    }
}
