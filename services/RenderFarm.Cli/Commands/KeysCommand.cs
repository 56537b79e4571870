using System.CommandLine;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Http;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>keys show</c>: the key that this machine's farm made for itself, alone on its line.</summary>
public static class KeysCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console)
    {
        var show = new Command("show", "Print the local API key");
        run.Run(show, (_, _) =>
        {
            console.Profile.Out.Writer.WriteLine(KeysFile.Read(FarmHome.FromEnvironment().Keys).AdminKey);
            return Task.FromResult(0);
        });
        return new Command("keys", "API keys") { show };
    }
}
