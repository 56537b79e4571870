namespace RenderFarm.Cli;

/// <summary>How a verb ends.</summary>
internal static class ExitCodes
{
    /// <summary>The video has failed, or something on this machine has.</summary>
    public const int Failure = 1;

    /// <summary>What was asked for is wrong: an option, or a request that the farm refuses.</summary>
    public const int Refused = 2;

    /// <summary>No farm answers, or it can't at the moment; the same command may work later.</summary>
    public const int Unavailable = 3;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;
}
