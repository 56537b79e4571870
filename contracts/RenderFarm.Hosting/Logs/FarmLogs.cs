using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Hosting.Logs;

/// <summary>Puts <c>Logs:</c> into the words of .NET's own console logger.</summary>
public static class FarmLogs
{
    private const string Time = "yyyy-MM-ddTHH:mm:ss.fffZ ";
    private const string Console = "Logging:Console";

    /// <summary>Lowest in rank: what <c>Logging:</c> says goes before.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">A setting is wrong.</exception>
    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    public static LogsOptions AddFarmLogs(this IConfigurationManager configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var logs = SettingsRegistration.Read<LogsOptions, LogsOptionsValidator>(configuration);
        var defaults = new Dictionary<string, string?>
        {
            ["Logging:LogLevel:Default"] = LevelOf(logs.Level).ToString(),
            [$"{Console}:FormatterName"] = logs.Format switch
            {
                LogsFormat.Json => "json",
                LogsFormat.Systemd => "systemd",
                _ => "simple",
            },
            [$"{Console}:FormatterOptions:IncludeScopes"] = "true",
            [$"{Console}:FormatterOptions:UseUtcTimestamp"] = "true",
        };
        if (logs.Format == LogsFormat.Text)
        {
            defaults[$"{Console}:FormatterOptions:SingleLine"] = "true";
        }

        if (logs.Format != LogsFormat.Systemd)
        {
            defaults[$"{Console}:FormatterOptions:TimestampFormat"] = Time;
        }

        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
        return logs;
    }

    private static LogLevel LevelOf(LogsLevel level) =>
        level switch
        {
            LogsLevel.Debug => LogLevel.Debug,
            LogsLevel.Warning => LogLevel.Warning,
            LogsLevel.Error => LogLevel.Error,
            _ => LogLevel.Information,
        };
}
