using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Hosting.Doctor;

/// <summary>
/// What <c>PROGRAM doctor --json</c> prints: one line, a JSON list of checks. Each program looks for itself, with the settings it
/// would run with; <c>farm doctor</c> asks all of them and joins the answers.
/// </summary>
public static class DoctorReport
{
    /// <returns>The exit code: 1 when something won't work.</returns>
    public static int Write(TextWriter output, IReadOnlyCollection<HostCheck> checks)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.WriteLine(Text(checks));
        return ExitCode(checks);
    }

    public static string Text(IEnumerable<HostCheck> checks) => JsonSerializer.Serialize([.. checks], ContractsJson.Default.HostCheckArray);

    public static int ExitCode(IEnumerable<HostCheck> checks) => checks.Any(check => check.Result == HostCheckResult.Lacks) ? 1 : 0;

    /// <summary>Null when this is no such list.</summary>
    public static IReadOnlyList<HostCheck>? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ContractsJson.Default.HostCheckArray);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
