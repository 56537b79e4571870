using System.CommandLine;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>page</c>: a link by which a browser is signed in with the key that the command line has.</summary>
internal static class PageCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        var stay = new Option<bool>("--no-open") { Description = "Only print the link" };
        var command = new Command("page", "Print a link that signs a browser in at the farm's page: once, for ten minutes")
        {
            stay,
        }.WithExamples("page", "page --no-open");
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var link = await PageLink.AskAsync(client, cancellationToken);
                console.Say(link);
                if (!parsed.GetValue(stay))
                {
                    PageLink.Open(link);
                }

                return 0;
            }
        );
        return command;
    }
}
