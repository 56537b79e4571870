using Microsoft.Extensions.Options;

namespace RenderFarm.Hosting.Settings;

/// <summary>Settings that can't work, as lines for whoever started the process.</summary>
public static class SettingsFaults
{
    /// <summary>How a process ends that was set wrongly.</summary>
    public const int ExitCode = 2;

    /// <summary>A setting that turned out to be wrong when it was used.</summary>
    /// <param name="key">Within the section; null for the section as a whole.</param>
    /// <param name="why">What is wrong and what to do.</param>
    public static OptionsValidationException At<TOptions>(string? key, string why)
        where TOptions : ISettings =>
        new(TOptions.Section, typeof(TOptions), [key is null ? $"{TOptions.Section}: {why}" : $"{TOptions.Section}:{key}: {why}"]);

    /// <summary>One line each, for the end of a <c>Main</c>.</summary>
    /// <returns><see cref="ExitCode"/>.</returns>
    public static async Task<int> TellAsync(this OptionsValidationException wrong, string program, TextWriter errors)
    {
        ArgumentNullException.ThrowIfNull(wrong);
        ArgumentNullException.ThrowIfNull(errors);
        foreach (var fault in wrong.Failures)
        {
            await errors.WriteLineAsync($"{program}: {fault}");
        }

        return ExitCode;
    }

    /// <summary>
    /// A validator says <c>Slots: must be …</c>; the line that people read begins with the whole key. A rule over several settings
    /// names the key itself.
    /// </summary>
    internal static string Keyed(string section, string failure) =>
        failure.Split(": ", 2) is [var member, var rule] && member.All(char.IsLetterOrDigit) ? $"{section}:{member} {rule}" : failure;
}
