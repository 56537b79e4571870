using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using RenderFarm.Testing;
using RenderFarm.Worker.Hosting;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class WorkerLogsTests
{
    [Theory]
    [InlineData("text", "simple")]
    [InlineData("json", "json")]
    [InlineData("systemd", "systemd")]
    public async Task Build_FormatOfTheSettings_IsTheConsoles(string format, string console)
    {
        using var folder = new TemporaryFolder();
        await using var app = WorkerApplication.Build(
            [$"--Logs:Format={format}", $"--RENDERFARM_HOME={folder.Path}", "--Worker:Slots=cpu"]
        );
        Assert.Equal(console, app.Services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName);
    }
}
