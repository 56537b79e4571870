using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("http://*:9465")]
    [InlineData("http://127.0.0.1:0")]
    public void Metrics_Url_MayBeAnyListener(string url) => Assert.Equal(url, Options<MetricsOptions>("Metrics:Url", url).Url);

    [Theory]
    [InlineData("Bus:Uri", "http://broker")]
    [InlineData("Bus:Uri", null)]
    public void Bus_Uri_MustBeAmqp(string key, string? value)
    {
        var fault = Assert.Throws<OptionsValidationException>(() => Options<BusOptions>(key, value));

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

    private static T Options<T>(string key, string? value)
        where T : class
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Bus:Kind", "rabbitmq"), new(key, value)])
            .Build();
        return new ServiceCollection().AddWorkerSettings(configuration).BuildServiceProvider().GetRequiredService<IOptions<T>>().Value;
    }
}
