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

    [Fact]
    public async Task Page_AsksForACode_AndPrintsItsLinkAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"code":"rfc_1","path":"/sign-in?code=rfc_1","expires_at":1}"""));

        Assert.Equal(0, await RunAsync(farm, "page", "--no-open"));

        Assert.Equal($"{farm.Url}/sign-in?code=rfc_1", Console.Output.Trim().ReplaceLineEndings(""));
        Assert.Equal("POST /v1/session/codes", Assert.Single(farm.Requests).Line);
    }

    [Fact]
    public async Task Keys_Inspect_ShowsLimitsAndWhenItWasMade_AndJsonAsTheFarmGaveIt()
    {
        await using var farm = new StubFarm(
            (_, _) =>
                (
                    200,
                    """
                    {"id":"key_1","name":"studio","scopes":["submit","read"],"priority_ceiling":60,
                    "quotas":{"queued":200,"running":null,"per_day":1000},"requests_per_minute":null,
                    "usage":{"queued":3,"running":1,"today":12},"created_at":1767323045,"unknown":"a member of tomorrow"}
                    """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "keys", "inspect", "key_1"));

        Assert.Equal("GET /v1/keys/key_1", Assert.Single(farm.Requests).Line);
        Assert.Equal(
            [
                "id key_1",
                "name studio",
                "scopes submit read",
                "priority ≤ 60",
                "queued 3 of 200",
                "running 1",
                "today 12 of 1000",
                "made 2026-01-02 03:04:05 UTC",
            ],
            Console.Output.TrimEnd().Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        );

        var before = Console.Output.Length;
        Assert.Equal(0, await RunAsync(farm, "keys", "inspect", "key_1", "--json"));
        Assert.Equal("a member of tomorrow", (string?)JsonNode.Parse(Console.Output[before..])!["unknown"]);
        Assert.Single(Console.Output[before..].TrimEnd().Split('\n'));
    }
}
