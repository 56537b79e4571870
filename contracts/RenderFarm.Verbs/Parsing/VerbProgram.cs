using System.CommandLine;

namespace RenderFarm.Verbs.Parsing;

/// <summary>Runs a program of verbs: a wrong command line is one line on standard error, help comes only when asked for.</summary>
public static class VerbProgram
{
    public const int Done = 0;

    /// <summary>Something was found wrong, or could not be done.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Wrong = 2;

    /// <summary>A prompt may begin with an at sign: no file is read for one.</summary>
    public static ParserConfiguration Parser { get; } = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(
        RootCommand root,
        string[] arguments,
        TextWriter errors,
        InvocationConfiguration? invocation = null
    )
    {
        var parsed = root.Parse(arguments, Parser);
        if (ParseFault.Of(parsed) is { } fault)
        {
            fault.Tell(parsed, errors);
            return Wrong;
        }
        try
        {
            invocation ??= new InvocationConfiguration();
            invocation.EnableDefaultExceptionHandler = false;
            return await parsed.InvokeAsync(invocation);
        }
        catch (VerbException refused) when (refused.ExitCode == Wrong)
        {
            ParseFault.Tell(parsed, errors, param: null, refused.Message);
            return Wrong;
        }
        catch (VerbException failed)
        {
            await errors.WriteLineAsync($"error: {failed.Message}");
            return failed.ExitCode;
        }
    }
}
