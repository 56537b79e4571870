using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Tests.Audit;

/// <summary>What the API runs with, and what of it nobody is shown.</summary>
public sealed partial class SettingsTests
{
    [Fact]
    public async Task Settings_ForAnOperator_AreThoseInForce_WithoutSecrets()
    {
        await using var farm = await TestFarm.StartAsync(
            "--Videos:Aliases:sora-2=tiny",
            "--Api:TrustedProxies:0=10.0.0.0/8",
            "--Artifacts:SecretKey=very-secret"
        );

        var reply = await (await farm.User.GetAsync("/v1/settings")).JsonAsync();

        var settings = reply["data"]!.AsArray().ToDictionary(one => (string)one!["key"]!, one => (string?)one!["value"]);
        Assert.Equal("tiny", settings["Videos:DefaultModel"]);
        Assert.Equal("tiny", settings["Videos:Aliases:sora-2"]);
        Assert.Equal("10.0.0.0/8", settings["Api:TrustedProxies:0"]);
        Assert.Equal(("sqlite", "none", "balanced"), (settings["Store:Kind"], settings["Bus:Kind"], settings["Videos:DefaultQuality"]));
        Assert.Equal("90", settings["Store:KeepDays"]);
        Assert.True(settings.ContainsKey("Api:Tls:Certificate") && settings.ContainsKey("Logs:Level"));
        Assert.Equal(("***", "***"), (settings["Store:ConnectionString"], settings["Artifacts:SecretKey"]));
        Assert.Null(settings["Bus:Uri"]);
        Assert.DoesNotContain("very-secret", reply.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await (await farm.NewTenantAsync("read")).GetAsync("/v1/settings")).StatusCode);
    }

    [Fact]
    public async Task Settings_WhoseNameSpeaksOfASecret_AreMarkedAsOne()
    {
        await using var farm = await TestFarm.StartAsync();
        var open = farm
            .Services.GetServices<SettingsSection>()
            .SelectMany(section => section.Options.GetType().GetProperties().Select(property => (section.Name, Property: property)))
            .Where(one => Secretive().IsMatch(one.Property.Name) && !one.Property.IsDefined(typeof(SecretAttribute)))
            .Select(one => $"{one.Name}:{one.Property.Name}");

        Assert.Empty(open);
    }

    [GeneratedRegex("Secret|Password|Token|ConnectionString|AccessKey|ApiKey|Uri$")]
    private static partial Regex Secretive();
}
