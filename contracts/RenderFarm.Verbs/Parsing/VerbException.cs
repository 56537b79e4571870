namespace RenderFarm.Verbs.Parsing;

/// <summary>What was asked for can't be done: a sentence for the person at the terminal, and the exit code that goes with it.</summary>
public sealed class VerbException(string message, int exitCode = VerbProgram.Failed) : Exception(message)
{
    public int ExitCode => exitCode;

    /// <summary>An option or argument makes no sense.</summary>
    public static VerbException Wrong(string message) => new(message, VerbProgram.Wrong);
}
