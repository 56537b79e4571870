using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Renderer.Protocol;

/// <summary>How <c>render</c> ends. 2 is a wrong command line; any other code, or a signal, is a crash.</summary>
internal static class ExitCodes
{
    /// <summary>Finished, or there was no order.</summary>
    public const int Done = VerbProgram.Done;

    /// <summary>A <c>failed</c> report was written.</summary>
    public const int Failed = VerbProgram.Failed;

    /// <summary>Ended by SIGTERM or the end of its input, after a <c>failed</c> report with reason <c>cancelled</c>.</summary>
    public const int Cancelled = 3;
}
