namespace RenderFarm.Renderer;

/// <summary>How this process ends. Any other code, or a signal, is a crash.</summary>
internal static class ExitCodes
{
    /// <summary>Finished, or there was no order.</summary>
    public const int Done = 0;

    /// <summary>A <c>failed</c> report was written, or a verb found what it looks for wrong.</summary>
    public const int Failed = 1;

    /// <summary>Arguments that make no sense.</summary>
    public const int BadArguments = 2;

    /// <summary>Ended by SIGTERM or the end of its input, after a <c>failed</c> report with reason <c>cancelled</c>.</summary>
    public const int Cancelled = 3;

    /// <param name="message">What is wrong and what would be right.</param>
    public static int Usage(string message)
    {
        Console.Error.WriteLine(message);
        return BadArguments;
    }
}
