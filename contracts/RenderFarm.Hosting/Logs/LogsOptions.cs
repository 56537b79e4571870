using System.ComponentModel;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Hosting.Logs;

/// <summary>Settings under <c>Logs:</c>. Levels of single categories are .NET's own <c>Logging:LogLevel:…</c>, which win.</summary>
public sealed class LogsOptions : ISettings
{
    public static string Section => "Logs";

    /// <summary>What is told of at least: <c>debug</c>, <c>information</c> (default), <c>warning</c> or <c>error</c>.</summary>
    public LogsLevel Level { get; set; } = LogsLevel.Information;

    /// <summary>How a line looks on standard output: <c>text</c> (default), <c>json</c> or <c>systemd</c>.</summary>
    public LogsFormat Format { get; set; } = LogsFormat.Text;

    /// <summary>
    /// A log file of <c>./farm up</c> that has grown beyond this is put aside. Who catches the output otherwise keeps it otherwise.
    /// </summary>
    [Between(0.1, 10_000)]
    public double FileMegabytes { get; set; } = 20;

    /// <summary>So many files of each program are kept, the one that is written among them.</summary>
    [Between(1, 100)]
    public int Files { get; set; } = 5;
}

[OptionsValidator]
public sealed partial class LogsOptionsValidator : IValidateOptions<LogsOptions>;

/// <summary><c>Logs:Level</c>.</summary>
[TypeConverter(typeof(SettingWordConverter<LogsLevel>))]
public enum LogsLevel
{
    [JsonStringEnumMemberName("debug")]
    Debug,

    [JsonStringEnumMemberName("information")]
    Information,

    [JsonStringEnumMemberName("warning")]
    Warning,

    [JsonStringEnumMemberName("error")]
    Error,
}

/// <summary><c>Logs:Format</c>.</summary>
[TypeConverter(typeof(SettingWordConverter<LogsFormat>))]
public enum LogsFormat
{
    /// <summary>A line each, with the time in UTC.</summary>
    [JsonStringEnumMemberName("text")]
    Text,

    /// <summary>An object each, with what the line was made of.</summary>
    [JsonStringEnumMemberName("json")]
    Json,

    /// <summary>As journald wants it: its own time, the level as a syslog priority.</summary>
    [JsonStringEnumMemberName("systemd")]
    Systemd,
}
