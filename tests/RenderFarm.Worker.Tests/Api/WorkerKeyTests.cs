using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;
using RenderFarm.Testing;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Tests.Api;

public sealed class WorkerKeyTests
{
    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("\"rf_key\"")]
    [InlineData("{\"worker_key\":7}")]
    [InlineData("{\"worker_key\":\"rf_")]
    public void Current_FileWithoutAKey_IsNoneUntilThereIsOne(string content)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "keys.json");
        var key = new WorkerKey(Options.Create(new WorkerOptions()), Options.Create(new KeysOptions { BootstrapFile = file }));
        Assert.Null(key.Current);
        File.WriteAllText(file, content);
        Assert.Null(key.Current);

        File.WriteAllText(file, """{"worker_key":"rf_key"}""");

        Assert.Equal("rf_key", key.Current);
    }
}
