using System.CommandLine;
using System.Text.Json;
using RenderFarm.Cli.Http;

namespace RenderFarm.Cli.Commands;

/// <summary>Runs a verb and turns its endings into lines and exit codes.</summary>
internal sealed class CommandRunner(TextWriter errors)
{
    public void Run(Command command, Func<ParseResult, CancellationToken, Task<int>> verb) =>
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                try
                {
                    return await verb(parsed, cancellationToken);
                }
                catch (FarmException error)
                {
                    await TellAsync(error, command.Options.Contains(JsonSwitch.Option) && parsed.WantsJson());
                    return error.ExitCode;
                }
                catch (DetachedException detached)
                {
                    await errors.WriteLineAsync(detached.Message);
                    return ExitCodes.Interrupted;
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    return ExitCodes.Interrupted;
                }
            }
        );

    /// <summary>A line beside what the verb prints, which others may read.</summary>
    public Task NoteAsync(string line) => errors.WriteLineAsync($"note: {line}");

    private async Task TellAsync(FarmException error, bool asJson)
    {
        if (asJson)
        {
            await errors.WriteLineAsync(
                JsonSerializer.Serialize(
                    new ErrorBody(new ErrorDetail(error.Message, error.Code, error.Param, error.Lines)),
                    FarmJson.Plain.ErrorBody
                )
            );
            return;
        }
        await errors.WriteLineAsync($"error: {error.Code}{(error.Param is { } param ? $" ({param})" : "")}: {error.Message}");
        foreach (var line in error.Lines ?? [])
        {
            await errors.WriteLineAsync($"  line {line.Line}: {line.Message}");
        }

        if (error.Log is { } log)
        {
            await errors.WriteLineAsync($"log: {log}");
        }
    }
}
