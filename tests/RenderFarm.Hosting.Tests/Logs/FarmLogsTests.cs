using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Logs;

namespace RenderFarm.Hosting.Tests.Logs;

public sealed class FarmLogsTests
{
    [Theory]
    [InlineData(null, null, "Information", "simple")]
    [InlineData("debug", "json", "Debug", "json")]
    [InlineData("error", "systemd", "Error", "systemd")]
    public void AddFarmLogs_LevelAndFormat_AreWhatTheConsoleLoggerReads(string? level, string? format, string default_, string formatter)
    {
        var configuration = Given(("Logs:Level", level), ("Logs:Format", format));

        configuration.AddFarmLogs();

        Assert.Equal(default_, configuration["Logging:LogLevel:Default"]);
        Assert.Equal(formatter, configuration["Logging:Console:FormatterName"]);
    }

    [Fact]
    public void AddFarmLogs_DotNetsOwnKeys_GoBefore()
    {
        var configuration = Given(("Logs:Level", "error"), ("Logging:LogLevel:Default", "Debug"));

        configuration.AddFarmLogs();

        Assert.Equal("Debug", configuration["Logging:LogLevel:Default"]);
    }

    [Theory]
    [InlineData("Logs:Format", "jsn", "Logs:Format is 'jsn', not one of: text, json, systemd; the nearest is 'json'.")]
    [InlineData("Logs:Files", "0", "Logs:Files is 0: it must be from 1 to 100.")]
    public void AddFarmLogs_AWrongSetting_IsNamedWithItsRemedy(string key, string value, string line)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() => Given((key, value)).AddFarmLogs());

        Assert.Equal(line, Assert.Single(wrong.Failures));
    }

    private static ConfigurationManager Given(params (string Key, string? Value)[] settings)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(
            settings.Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create(setting.Key, setting.Value))
        );
        return configuration;
    }
}
