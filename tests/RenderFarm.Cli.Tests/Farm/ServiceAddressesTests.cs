using RenderFarm.Cli.Farm;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class ServiceAddressesTests
{
    [Fact]
    public void From_Options_BecomeTheSettingsOfBroker_AndStore()
    {
        var services = ServiceAddresses.From(
            "Host=db",
            "amqp://u:p@mq:5672/farm",
            "https://key:se%2Fcret@s3.example:9000/clips",
            _ => null
        );

        var (bus, settings) = (services.BusSettings(), services.ArtifactsSettings());

        Assert.Equal("Host=db", services.Postgres);
        Assert.Equal(("rabbitmq", "amqp://u:p@mq:5672/farm"), (bus["Bus__Kind"], bus["Bus__Uri"]));
        Assert.Equal(
            ("s3", "https://s3.example:9000", "clips"),
            (settings["Artifacts__Kind"], settings["Artifacts__Endpoint"], settings["Artifacts__Bucket"])
        );
        Assert.Equal(("key", "se/cret"), (settings["Artifacts__AccessKey"], settings["Artifacts__SecretKey"]));
    }

    [Fact]
    public void From_Environment_GivesTheSameAsOptions()
    {
        var environment = new Dictionary<string, string>
        {
            ["Store__ConnectionString"] = "Host=db",
            ["Bus__Uri"] = "amqp://u:p@mq:5672/",
            ["Artifacts__Endpoint"] = "http://s3:9000",
            ["Artifacts__AccessKey"] = "key",
            ["Artifacts__SecretKey"] = "se/cret+",
        };

        var settings = ServiceAddresses.From(null, null, null, environment.GetValueOrDefault).ArtifactsSettings();

        Assert.Equal(
            ("http://s3:9000", "key", "se/cret+", "renderfarm"),
            (
                settings["Artifacts__Endpoint"],
                settings["Artifacts__AccessKey"],
                settings["Artifacts__SecretKey"],
                settings["Artifacts__Bucket"]
            )
        );
    }

    [Theory]
    [InlineData(null, "amqp://mq/", "http://a:b@s3/", "--postgres", "Store__ConnectionString")]
    [InlineData("Host=db", null, "http://a:b@s3/", "--rabbitmq", "Bus__Uri")]
    [InlineData("Host=db", "amqp://mq/", null, "--s3", "Artifacts__Endpoint")]
    [InlineData("Host=db", "http://mq/", "http://a:b@s3/", "--rabbitmq", "amqp://")]
    [InlineData("Host=db", "amqp://mq/", "s3.example", "--s3", "http://")]
    public void From_MissingOrWrong_NamesTheOptionAndTheRemedy(string? postgres, string? rabbit, string? s3, string option, string remedy)
    {
        var error = Assert.Throws<FarmException>(() => ServiceAddresses.From(postgres, rabbit, s3, _ => null));

        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }
}
