using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>One thing for people, a line for each of its figures: the name, then the value. What has no value has no line.</summary>
internal static class PlainSheet
{
    public static void Write(IAnsiConsole console, params (string Name, string? Value)[] rows)
    {
        var grid = new Grid().AddColumns(2);
        foreach (var (name, value) in rows)
        {
            if (!string.IsNullOrEmpty(value))
            {
                grid.AddRow(name, Markup.Escape(value));
            }
        }
        console.Write(grid);
    }
}
