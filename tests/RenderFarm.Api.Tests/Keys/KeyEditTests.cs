using System.Net;
using System.Net.Http.Json;

namespace RenderFarm.Api.Tests.Keys;

/// <summary>Keys after their making: edited, rotated, over.</summary>
public sealed class KeyEditTests(StillFarm still) : IClassFixture<StillFarm>
{
    private readonly TestFarm _farm = still.Farm;

    [Fact]
    public async Task Patch_ChangesWhatItNames_ToNothingWhereItSaysNull()
    {
        var limits = new { queued = 5, running = 2 };
        var made = await MakeAsync(new { name = "t", quotas = limits, requests_per_minute = 60, @class = "night" });

        var body = """{"name":"u","quotas":{"queued":null,"per_day":7},"requests_per_minute":null,"priority_ceiling":9}""";
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var edited = await (await _farm.User.PatchAsync($"/v1/keys/{(string)made["id"]!}", content)).JsonAsync();

        Assert.Equal(("u", 9, "night"), ((string?)edited["name"], (int)edited["priority_ceiling"]!, (string?)edited["class"]));
        var quotas = edited["quotas"]!;
        Assert.Equal((null, 2, 7), ((int?)quotas["queued"], (int?)quotas["running"], (int?)quotas["per_day"]));
        Assert.Null(edited["requests_per_minute"]);
        Assert.Null(edited["key"]);
    }

    [Theory]
    [InlineData("""{"class":"Night Shift"}""", "class")]
    [InlineData("""{"expires_at":1000}""", "expires_at")]
    [InlineData("""{"quotas":{"queue":1}}""", "quotas.queue")]
    [InlineData("""{"scopes":["admin"]}""", "scopes")]
    public async Task Patch_WhatCantBe_Is400NamingIt(string body, string param)
    {
        var made = await MakeAsync(new { name = "t" });
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        var refusal = await (await _farm.User.PatchAsync($"/v1/keys/{(string)made["id"]!}", content)).RefusalAsync();

        Assert.Equal((400, param), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task Rotate_BothSecretsWorkForTheOverlap_ThenTheOldReadsAsRevoked()
    {
        var made = await MakeAsync(new { name = "t" });
        var old = _farm.ClientWith((string)made["key"]!);

        var rotated = await (
            await _farm.User.PostAsJsonAsync($"/v1/keys/{(string)made["id"]!}/rotate", new { overlap_seconds = 60 })
        ).JsonAsync();

        var fresh = _farm.ClientWith((string)rotated["key"]!);
        Assert.Equal(HttpStatusCode.OK, (await old.GetAsync("/v1/videos")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await fresh.GetAsync("/v1/videos")).StatusCode);
        still.Clock.Advance(TimeSpan.FromSeconds(60));
        var refusal = await (await old.GetAsync("/v1/videos")).RefusalAsync();
        Assert.Equal((401, "key_revoked"), (refusal.Status, refusal.Code));
        Assert.Equal(HttpStatusCode.OK, (await fresh.GetAsync("/v1/videos")).StatusCode);
    }

    [Fact]
    public async Task Expires_AKeyWhoseTimeIsOver_Is401()
    {
        var end = still.Clock.GetUtcNow().AddSeconds(30).ToUnixTimeSeconds();
        var made = await MakeAsync(new { name = "t", expires_at = end });
        var tenant = _farm.ClientWith((string)made["key"]!);
        Assert.Equal(HttpStatusCode.OK, (await tenant.GetAsync("/v1/videos")).StatusCode);

        still.Clock.Advance(TimeSpan.FromSeconds(30));

        var refusal = await (await tenant.GetAsync("/v1/videos")).RefusalAsync();
        Assert.Equal((401, "key_revoked"), (refusal.Status, refusal.Code));
    }

    private async Task<System.Text.Json.Nodes.JsonNode> MakeAsync(object body) =>
        await (await _farm.User.PostAsJsonAsync("/v1/keys", body)).JsonAsync();
}
