using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>Rows without a frame. The first column is there to be copied: it never wraps, and into a file or a pipe nothing does.</summary>
internal sealed class PlainTable
{
    private const int WidthOfAPipe = 400;
    private readonly Table _table;

    public PlainTable(params string[] columns)
    {
        _table = new Table { Border = TableBorder.None }.AddColumns(columns);
        _table.Columns[0].NoWrap();
    }

    public void Add(params string[] cells) => _table.AddRow(cells.Select(Markup.Escape).ToArray());

    public void WriteTo(IAnsiConsole console)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = WidthOfAPipe;
        }

        console.Write(_table);
    }
}
