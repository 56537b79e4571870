using System.CommandLine;
using RenderFarm.Cli.Http;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Cli.Commands;

/// <summary>Verbs that do one thing to each of the ids they are given: what they have in common.</summary>
internal sealed class IdVerbs(CommandRunner run, TimeProvider time)
{
    /// <param name="name">The verb.</param>
    /// <param name="description">What it does.</param>
    /// <param name="id">What it is done to.</param>
    /// <param name="live">What the farm completes it with.</param>
    /// <param name="act">Does it to one, and says how that ended.</param>
    public Command Create(
        string name,
        string description,
        Argument<string> id,
        IReadOnlyList<LiveIds.Source> live,
        Func<FarmClient, string, ParseResult, CancellationToken, Task<int>> act
    ) => Create(new Command(name, description) { id }, id, live, parsed => [parsed.GetValue(id)!], act);

    /// <param name="name">The verb.</param>
    /// <param name="description">What it does.</param>
    /// <param name="ids">What it is done to, one after the other.</param>
    /// <param name="live">What the farm completes them with.</param>
    /// <param name="act">Does it to one, and says how that ended.</param>
    /// <param name="bulk">Does it to all videos of a filter, where no id is named.</param>
    public Command Create(
        string name,
        string description,
        Argument<string[]> ids,
        IReadOnlyList<LiveIds.Source> live,
        Func<FarmClient, string, ParseResult, CancellationToken, Task<int>> act,
        BulkVerb? bulk = null
    ) => Create(new Command(name, description) { ids }, ids, live, parsed => parsed.GetValue(ids) ?? [], act, bulk);

    public static Argument<string> One(string name, string description) => new(name) { Description = description };

    public static Argument<string[]> Several(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.OneOrMore };

    public static Argument<string[]> AnyNumber(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ZeroOrMore };

    private Command Create(
        Command command,
        Argument argument,
        IReadOnlyList<LiveIds.Source> live,
        Func<ParseResult, string[]> ids,
        Func<FarmClient, string, ParseResult, CancellationToken, Task<int>> act,
        BulkVerb? bulk = null
    )
    {
        var connection = new FarmConnection();
        command.Add(JsonSwitch.Option);
        bulk?.AddTo(command, connection);
        connection.AddTo(command);
        argument.CompleteWith(connection, time, [.. live]);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                if (bulk?.IsFor(parsed, ids(parsed)) == true)
                {
                    return await bulk.RunAsync(client, parsed, cancellationToken);
                }

                var code = VerbProgram.Done;
                foreach (var id in ids(parsed))
                {
                    code = Math.Max(code, await act(client, id, parsed, cancellationToken));
                }

                return code;
            }
        );
        return command;
    }
}
