namespace RenderFarm.Cli;

/// <summary>Something that the person at the terminal has to know: a code to look up and a sentence that says what to do.</summary>
internal sealed class FarmException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;

    /// <summary>The request field that was wrong, where the API named one.</summary>
    public string? Param { get; init; }

    /// <summary>Of a refused batch.</summary>
    public IReadOnlyList<LineFault>? Lines { get; init; }

    /// <summary>Where more of the story is.</summary>
    public string? Log { get; init; }

    /// <summary>The status of the API's answer, where it was one.</summary>
    public int? Status { get; init; }

    public int ExitCode =>
        Status switch
        {
            429 or >= 500 => ExitCodes.Unavailable,
            >= 400 => ExitCodes.Refused,
            _ => Code switch
            {
                "unreachable" => ExitCodes.Unavailable,
                "invalid_option" or "unknown_model" or "no_such_file" or "file_exists" => ExitCodes.Refused,
                _ => ExitCodes.Failure,
            },
        };
}
