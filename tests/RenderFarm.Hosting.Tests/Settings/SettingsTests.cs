using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Hosting.Tests.Settings;

public sealed partial class SettingsTests
{
    [Fact]
    public void AddSettings_GoodValues_GivesEverybodyWhatWasChecked()
    {
        var services = new ServiceCollection();

        var read = services.AddSettings<TrialOptions, TrialOptionsValidator>(Given(("Trial:Seconds", "2.5"), ("trial:kind", "b")));

        Assert.Equal((2.5, TrialKind.Second, true), (read.Seconds, read.Kind, read.On));
        Assert.Same(read, services.BuildServiceProvider().GetRequiredService<IOptions<TrialOptions>>().Value);
    }

    [Theory]
    [InlineData("Trial:Seconds", "-1", "Trial:Seconds is -1: it must be from 0 to 10; 5 is usual.")]
    [InlineData("Trial:Seconds", "soon", "Trial:Seconds is 'soon': it must be a number")]
    [InlineData("Trial:Most", "1.5", "Trial:Most is '1.5': it must be a whole number")]
    [InlineData("Trial:On", "yes", "Trial:On is 'yes': it must be true or false")]
    [InlineData("Trial:Kind", "bee", "Trial:Kind is 'bee', not one of: a, b; the nearest is 'b'.")]
    [InlineData("Trial:Kind", "", "Trial:Kind is '', not one of: a, b.")]
    [InlineData("Trial:Kind", "1", "Trial:Kind is '1', not one of: a, b; the nearest is 'a'.")]
    [InlineData("Trial:Kind", "Second", "Trial:Kind is 'Second', not one of: a, b.")]
    [InlineData(
        "Trial:Listen",
        "here",
        "Trial:Listen is 'here': it must be an address to listen on, such as http://127.0.0.1:8080, or "
            + "http://*:8080 for every interface."
    )]
    [InlineData("Trial:Server", "host", "Trial:Server is 'host': it must be an http address such as http://host:1.")]
    [InlineData("Trial:Secnods", "1", "Trial:Secnods is no setting: did you mean Trial:Seconds?")]
    [InlineData(
        "Trial:Completely",
        "1",
        "Trial:Completely is no setting: remove it, or take one of Kind, Listen, Most, On, Seconds, Server, Words"
    )]
    [InlineData("Trial:Most", "7", "Trial:Most must not be above Trial:Seconds.")]
    public void AddSettings_AWrongOne_IsNamedWithItsRemedy(string key, string value, string line)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() => Read((key, value)));

        Assert.Equal(line, Assert.Single(wrong.Failures));
    }

    [Fact]
    public void AddSettings_SeveralWrong_NamesEach()
    {
        Assert.Equal(2, Faults(("Trial:Seconds", "-1"), ("Trial:Listen", "x")));
        Assert.Equal(3, Faults(("Trial:Kind", "x"), ("Trial:On", "x"), ("Trial:Knid", "x")));

        static int Faults(params (string, string?)[] settings) =>
            Assert.Throws<OptionsValidationException>(() => Read(settings)).Failures.Count();
    }

    [Fact]
    public void AddSettings_NothingWhereNothingMayBe_IsNothing() => Assert.Null(Read(("Trial:Most", "")).Most);

    [Fact]
    public void AddSettings_MembersOfAMap_AreNoMisspelling() => Assert.Equal("x", Read(("Trial:Words:any", "x")).Words["any"]);

    [Theory]
    [InlineData("http://*:9465", 9465)]
    [InlineData("http://127.0.0.1:0", 0)]
    [InlineData("http://[::1]:81/", 81)]
    [InlineData("", null)]
    public void MetricsUrl_AListener_HasAPortOfItsOwn(string url, int? port) =>
        Assert.Equal(port, SettingsRegistration.Read<MetricsOptions, MetricsOptionsValidator>(Given(("Metrics:Url", url))).Port);

    [Theory]
    [InlineData("ftp://host")]
    [InlineData("9465")]
    [InlineData("http://gpu7:9465")]
    [InlineData("http://127.0.0.1:9465/metrics")]
    public void MetricsUrl_NoListener_IsNamed(string url)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() =>
            SettingsRegistration.Read<MetricsOptions, MetricsOptionsValidator>(Given(("Metrics:Url", url)))
        );

        Assert.StartsWith("Metrics:Url is ", Assert.Single(wrong.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://broker")]
    [InlineData(null)]
    public void BusUri_NoBrokersAddress_IsNamedWithoutItsValue(string? uri)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() =>
            SettingsRegistration.Read<BusOptions, BusOptionsValidator>(Given(("Bus:Kind", "rabbitmq"), ("Bus:Uri", uri)))
        );

        var line = Assert.Single(wrong.Failures);
        Assert.StartsWith("Bus:Uri must be of the form amqp://", line, StringComparison.Ordinal);
        Assert.DoesNotContain("http://broker", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Workr:ApiUrl", "Worker:")]
    [InlineData("KEEYS:BootstrapFile", "Keys:")]
    [InlineData("vidoes:DefaultModel", "Videos:")]
    public void RefuseMisspelt_ASectionNearOneOfOurs_IsNamed(string key, string meant)
    {
        var line = Assert.Single(Assert.Throws<OptionsValidationException>(() => SectionNames.RefuseMisspelt(Given((key, "x")))).Failures);

        Assert.StartsWith(key.Split(':')[0], line, StringComparison.Ordinal);
        Assert.Contains($"did you mean {meant}", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default")]
    [InlineData("Kestrel:Limits:MaxConcurrentConnections")]
    [InlineData("worker:Name")]
    [InlineData("Key")]
    [InlineData("APP:NAME")]
    [InlineData("npm_config:cache")]
    public void RefuseMisspelt_OursAndOtherPrograms_AreLeftAlone(string key) => SectionNames.RefuseMisspelt(Given((key, "x")));

    [Fact]
    public void Sections_OfTheSource_AreTheFarms()
    {
        var read =
            from room in new[] { "contracts", "services", "workers" }
            from file in Directory.EnumerateFiles(Path.Combine(BuiltPrograms.Root, room), "*.cs", SearchOption.AllDirectories)
            from Match section in Section().Matches(File.ReadAllText(file))
            select section.Groups[1].Value;

        Assert.Equal(SectionNames.All.Order(StringComparer.Ordinal), read.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Tell_Faults_AreALineEachAndCode2()
    {
        using var errors = new StringWriter();

        Assert.Equal(2, await SettingsFaults.At<KeysOptions>("BootstrapFile", "can't be read").TellAsync("renderfarm-api", errors));

        Assert.Equal("renderfarm-api: Keys:BootstrapFile: can't be read", errors.ToString().TrimEnd());
    }

    private static TrialOptions Read(params (string, string?)[] settings) =>
        SettingsRegistration.Read<TrialOptions, TrialOptionsValidator>(Given(settings));

    private static IConfiguration Given(params (string Key, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))).Build();

    [GeneratedRegex("""static string Section => "(\w+)";""")]
    private static partial Regex Section();
}
