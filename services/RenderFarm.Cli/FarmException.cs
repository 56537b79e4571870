namespace RenderFarm.Cli;

/// <summary>Something that the person at the terminal has to know: a code to look up and a sentence that says what to do.</summary>
public sealed class FarmException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;

    /// <summary>The request field that was wrong, where the API named one.</summary>
    public string? Param { get; init; }

    /// <summary>Where more of the story is.</summary>
    public string? Log { get; init; }
}
