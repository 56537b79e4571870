using System.CommandLine;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>login</c> and <c>logout</c>: which farm the other verbs speak to when nothing else says so.</summary>
internal static class LoginCommand
{
    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var url = new Argument<string>("url") { Description = "The farm's address", DefaultValueFactory = _ => FarmConnection.DefaultUrl };
        var key = new Option<string?>("--key") { Description = "API key; absent: asked for, or read from standard input" };
        var login = new Command("login", "Remember a farm and a key for it").WithExamples(
            "login https://farm.example.org",
            "login http://rack:8080 --key rf_…",
            "login https://farm.example.org < key.txt"
        );
        login.Add(url);
        login.Add(key);
        run.Run(
            login,
            async (parsed, cancellationToken) =>
            {
                var address = FarmConnection.RequireAddress(parsed.GetValue(url)!, "url");
                var secret = (parsed.GetValue(key) ?? await AskAsync(console, cancellationToken)).Trim();
                using (var client = new FarmClient(address, secret, time))
                {
                    await client.GetJsonAsync("models", cancellationToken);
                }

                new SavedLogin(address, secret).Write();
                console.Say($"Logged in to {address}. The key is kept in {SavedLogin.FilePath}");
                return 0;
            }
        );
        yield return login;

        var logout = new Command("logout", "Forget the farm and the key of login").WithExamples("logout");
        run.Run(
            logout,
            (_, _) =>
            {
                console.Say(SavedLogin.Remove() ? $"Removed {SavedLogin.FilePath}" : "There was no login.");
                return Task.FromResult(0);
            }
        );
        yield return logout;
    }

    private static async Task<string> AskAsync(IAnsiConsole console, CancellationToken cancellationToken)
    {
        if (console.Profile.Capabilities.Interactive && !Console.IsInputRedirected)
        {
            return await new TextPrompt<string>("API key:").Secret().ShowAsync(console, cancellationToken);
        }

        return await Console.In.ReadLineAsync(cancellationToken) is { Length: > 0 } line
            ? line
            : throw new FarmException("invalid_option", "--key: no key was given, and none came on standard input");
    }
}
