using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;
using RenderFarm.Artifacts;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Tests.Settings;

public sealed class SettingsTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    /// <summary>Named like secrets, and none: paths, or a part of the name of something else.</summary>
    private static readonly string[] Harmless = ["ApiTls.Key", "KeysOptions.WrongKeysPerMinute"];

    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task List_ToAnAdministrator_HasEverySectionAndNoSecret()
    {
        using var admin = await _farm.NewTenantAsync("admin");
        var answer = await admin.GetFromJsonAsync<JsonNode>("/v1/settings");
        Assert.Equal("settings", (string)answer!["object"]!);
        var settings = ((JsonArray)answer["data"]!).ToDictionary(one => (string)one!["key"]!, one => (string)one!["value"]!);

        Assert.Equal("90", settings["Store:KeepDays"]);
        Assert.Equal("sqlite", settings["Store:Kind"]);
        Assert.Equal(SettingsInForce.Hidden, settings["Store:ConnectionString"]);
        Assert.Equal("", settings["Artifacts:SecretKey"]);
        Assert.Equal("", settings["Api:Tls:Certificate"]);
        Assert.Contains("Videos:DefaultModel", settings.Keys);
        Assert.Contains("Keys:RequestsPerMinute", settings.Keys);
        Assert.Equal(settings.Keys.Order(StringComparer.Ordinal), settings.Keys);
    }

    [Fact]
    public async Task List_ToAUser_IsRefused() => Assert.Equal(403, (int)(await _farm.User.GetAsync("/v1/settings")).StatusCode);

    /// <summary>A setting that somebody adds and that sounds like a secret has to say whether it is one.</summary>
    [Fact]
    public void Settings_NamedLikeASecret_AreHidden()
    {
        Type[] readers = [typeof(ApiError), typeof(ArtifactsOptions), typeof(StoreOptions), typeof(BusOptions)];
        string[] words = ["Password", "Secret", "Token", "Key", "ConnectionString", "Uri"];
        var shown = readers
            .SelectMany(reader => reader.Assembly.GetTypes())
            .Where(type => typeof(ISettings).IsAssignableFrom(type) && type.IsClass || type.Name == "ApiTls")
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Where(property => property.CanWrite && words.Any(word => property.Name.Contains(word, StringComparison.Ordinal)))
            .Where(property => property.GetCustomAttribute<SecretAttribute>() is null)
            .Select(property => $"{property.DeclaringType!.Name}.{property.Name}")
            .Except(Harmless);
        Assert.Empty(shown);
    }
}
