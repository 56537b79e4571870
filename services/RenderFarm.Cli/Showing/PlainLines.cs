using Spectre.Console;

namespace RenderFarm.Cli.Showing;

internal static class PlainLines
{
    /// <summary>A line as it is: the console would wrap it at its width, and a wrapped path, address or key can't be copied.</summary>
    public static void Say(this IAnsiConsole console, string line) => console.Profile.Out.Writer.WriteLine(line);
}
