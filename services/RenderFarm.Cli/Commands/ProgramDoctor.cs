using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Cli.Commands;

/// <summary>Asks another program of this build what it finds of the host: <c>PROGRAM doctor --json</c>.</summary>
internal static class ProgramDoctor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <returns>Its checks; a program that can't answer is a lack itself.</returns>
    public static async Task<IReadOnlyList<HostCheck>> AskAsync(string name, string program, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(Patience);
        var start = new ProcessStartInfo(program, ["doctor", "--json"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(bounded.Token);
            var answer = await process.StandardOutput.ReadToEndAsync(bounded.Token);
            await process.WaitForExitAsync(bounded.Token);
            return Parse(answer)
                ??
                [
                    HostCheck.Lacks(
                        name,
                        $"{program} ended with code {process.ExitCode}: {LastLine(await errors)}",
                        "./farm build; its own message says more"
                    ),
                ];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return
            [
                HostCheck.Lacks(
                    name,
                    $"{program} did not answer within {Patience.TotalSeconds:0} s",
                    "look what it waits for: a driver that hangs is the usual cause"
                ),
            ];
        }
    }

    private static HostCheck[]? Parse(string answer)
    {
        try
        {
            return JsonSerializer.Deserialize(answer, ContractsJson.Default.HostCheckArray);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "it said nothing";
}
