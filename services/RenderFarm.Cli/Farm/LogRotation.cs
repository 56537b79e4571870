using Microsoft.Extensions.Configuration;
using RenderFarm.Hosting.Logs;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// Keeps the logs of the farm's programs within bounds. A program goes on writing into the file it was started with, so the file is copied
/// aside and emptied: <c>api.log</c>, <c>api.log.1</c>, <c>api.log.2</c>, the oldest last.
/// </summary>
internal sealed class LogRotation(LogsOptions options)
{
    private long LargestBytes => (long)(options.FileMegabytes * 1_000_000);

    /// <summary>As the environment sets it (<c>Logs__Files</c>), which the programs read too.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">A setting is wrong.</exception>
    public static LogRotation FromEnvironment() =>
        new(
            SettingsRegistration.Read<LogsOptions, LogsOptionsValidator>(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        from System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables()
                        let name = (string)entry.Key
                        where name.StartsWith($"{LogsOptions.Section}__", StringComparison.OrdinalIgnoreCase)
                        select KeyValuePair.Create(name.Replace("__", ":", StringComparison.Ordinal), (string?)entry.Value)
                    )
                    .Build()
            )
        );

    /// <returns>True when the file has been put aside.</returns>
    public bool Look(string log)
    {
        var file = new FileInfo(log);
        if (!file.Exists || file.Length <= LargestBytes)
        {
            return false;
        }

        for (var age = options.Files - 1; age > 1; age--)
        {
            if (File.Exists(Aged(log, age - 1)))
            {
                File.Move(Aged(log, age - 1), Aged(log, age), overwrite: true);
            }
        }

        using var written = new FileStream(log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (options.Files > 1)
        {
            // What is written while it is copied is copied too: to its end, wherever that is by then
            using var aside = File.Create(Aged(log, 1));
            written.CopyTo(aside);
        }

        written.SetLength(0);
        return true;
    }

    private static string Aged(string log, int age) => $"{log}.{age}";
}
