using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Checks;

namespace RenderFarm.Hosting.Doctor;

/// <summary><c>doctor [--json] [--KEY=VALUE]…</c> of a program whose command line is otherwise its settings.</summary>
public static class DoctorVerb
{
    /// <param name="arguments">The program's.</param>
    /// <param name="program">Its short name: a setting that is wrong is a check <c>api settings</c>.</param>
    /// <param name="look">Looks with the settings that are given, as the program would run with them, and changes nothing.</param>
    /// <param name="output">Where the checks are printed.</param>
    /// <returns>The exit code; null when the line is no doctor's, and the program is to run.</returns>
    /// <exception cref="OptionsValidationException">The line has something that is no setting.</exception>
    public static async Task<int?> RunAsync(
        string[] arguments,
        string program,
        Func<string[], IAsyncEnumerable<HostCheck>> look,
        TextWriter output
    )
    {
        ArgumentNullException.ThrowIfNull(look);
        if (arguments is not ["doctor", .. var rest])
        {
            return null;
        }

        string[] settings = [.. rest.Where(argument => argument != "--json")];
        if (settings.FirstOrDefault(setting => !IsSetting(setting)) is { } strange)
        {
            throw new OptionsValidationException(
                program,
                typeof(DoctorVerb),
                [$"doctor takes --json and settings, such as --Metrics:Url=http://127.0.0.1:9464, not '{strange}'"]
            );
        }

        List<HostCheck> checks = [];
        try
        {
            await foreach (var check in look(settings))
            {
                checks.Add(check);
            }
        }
        catch (OptionsValidationException wrong)
        {
            checks.AddRange(wrong.Failures.Select(fault => HostCheck.Lacks($"{program} settings", fault, "correct the setting")));
        }

        return DoctorReport.Write(output, checks);
    }

    private static bool IsSetting(string argument) =>
        argument.StartsWith("--", StringComparison.Ordinal) && argument.IndexOf('=', StringComparison.Ordinal) > 2;
}
