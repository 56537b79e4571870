using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Hosting;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("http://*:9465")]
    [InlineData("http://127.0.0.1:0")]
    public void Metrics_Url_MayBeAnyListener(string url) => Assert.Equal(url, Options<MetricsOptions>("Metrics:Url", url).Url);

    [Theory]
    [InlineData("http://broker")]
    [InlineData("")]
    public void Bus_Uri_MustBeAmqp(string value)
    {
        string[] settings = ["--Worker:ApiKey=rf_worker", "--Bus:Kind=rabbitmq", $"--Bus:Uri={value}"];
        var fault = Assert.Throws<OptionsValidationException>(() => WorkerApplication.Build(settings));

        Assert.Contains(fault.Failures, failure => failure.StartsWith("Bus:Uri", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Metrics:Url", "9465")]
    [InlineData("Metrics:Url", "ftp://host")]
    public void Metrics_UrlNoListener_NamesTheKey(string key, string value) =>
        Assert.Contains(
            key,
            Assert.Throws<OptionsValidationException>(() => Options<MetricsOptions>(key, value)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("Worker:Slots", "gpu")]
    [InlineData("Worker:Name", "")]
    [InlineData("Worker:ApiUrl", "farm:8080")]
    [InlineData("Worker:MaxRenderers", "0")]
    [InlineData("Worker:SilenceSeconds", "soon")]
    [InlineData("Worker:SpoolGigabytes", "0")]
    [InlineData("Worker:RendererPath", "/nowhere/renderer")]
    [InlineData("Worker:SilenceSecond", "1")]
    [InlineData("Models:Directory", "")]
    [InlineData("Torch:LibraryPath", "/nowhere")]
    public void Worker_AWrongOne_IsOneLineThatBeginsWithItsKey(string key, string value)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() => Options<WorkerOptions>(key, value));

        Assert.StartsWith(key + " ", Assert.Single(wrong.Failures), StringComparison.Ordinal);
    }

    private static T Options<T>(string key, string? value)
        where T : class
    {
        var settings = new Dictionary<string, string?>
        {
            ["Worker:ApiKey"] = "rf_key",
            ["Worker:RendererPath"] = typeof(SettingsTests).Assembly.Location,
            [key] = value,
        };
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddWorkerSettings(configuration);
        return services.BuildServiceProvider().GetRequiredService<IOptions<T>>().Value;
    }
}
