using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary><c>login</c> and <c>keys</c>.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class KeyVerbTests : VerbsUnderTest
{
    [Fact]
    public async Task Login_KeepsTheKeyForItsFarmAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"data":[],"has_more":false,"last_id":null}"""));
        await using var other = new StubFarm((_, _) => (200, """{"data":[],"has_more":false,"last_id":null}"""));

        Assert.Equal(0, await RunAsync("login", farm.Url + "/", "--key", "rf_saved"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SavedLogin.FilePath));
        }

        Assert.StartsWith(Folder.Path, SavedLogin.FilePath, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("list"));
        Assert.All(farm.Requests, request => Assert.Equal("Bearer rf_saved", request.Key));

        await RunAsync("list", "--url", other.Url);
        Assert.DoesNotContain(other.Requests, request => request.Key == "Bearer rf_saved");
        Assert.Equal(0, await RunAsync("logout"));
        Assert.False(File.Exists(SavedLogin.FilePath));
    }

    [Fact]
    public async Task Login_WithAKeyThatTheFarmDoesNotKnow_KeepsNothing()
    {
        await using var farm = new StubFarm(
            (_, _) => (401, """{"error":{"message":"unknown","type":"x","param":null,"code":"invalid_api_key"}}""")
        );

        Assert.Equal(ExitCodes.Refused, await RunAsync("login", farm.Url, "--key", "rf_wrong"));
        Assert.False(File.Exists(SavedLogin.FilePath));
    }

    [Fact]
    public async Task Keys_Create_SendsLimitsAndPrintsTheSecretAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"id":"key_1","key":"rf_new"}"""));

        Assert.Equal(0, await RunAsync(farm, "keys", "create", "studio", "--scope", "submit", "--queued", "5", "--per-day", "9"));

        Assert.Equal("rf_new", Console.Output.Trim());
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"name":"studio","quotas":{"queued":5,"per_day":9},"scopes":["submit"]}"""),
                JsonNode.Parse(Assert.Single(farm.Requests).Body)
            )
        );
    }
}
