namespace RenderFarm.Cli.Errands;

/// <summary>A verb of another program, and what the machine must have for it; <c>deploy/scripts/errand.sh</c> reads the words.</summary>
/// <param name="Program">A project's folder or a script, from the root of the tree; null builds only.</param>
internal sealed record Errand(string? Program)
{
    /// <summary>What is built first: <c>cli</c>, <c>apps</c> or <c>tests</c>; null leaves it to the program.</summary>
    public string? Build { get; init; } = "apps";

    public bool NeedsFfmpeg { get; init; }

    /// <summary>Servers of its own while it runs.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>How many of the line's first words the program does not expect.</summary>
    public int Skip { get; init; }

    /// <param name="line">The whole line, as parsed.</param>
    public IReadOnlyList<string> Words(IEnumerable<string> line)
    {
        List<string> words = [];
        if (Build is { } build)
        {
            words.Add($"build={build}");
        }
        if (NeedsFfmpeg)
        {
            words.Add("ffmpeg");
        }
        words.AddRange(Servers.Select(server => $"server={server}"));
        words.Add("--");
        if (Program is { } program)
        {
            words.Add(program);
            words.AddRange(line.Skip(Skip));
        }
        return words;
    }
}
