using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Api.Webhooks;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Webhooks;

public sealed class WebhookTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private WebhookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync("--Outbound:AllowedNetworks:0=127.0.0.0/8");
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Fact]
    public async Task Webhook_OfEachEvent_IsSignedWithTheKeysSecret()
    {
        var worker = await _farm.RegisterWorkerAsync();
        var made = await (await _farm.User.PostAsJsonAsync("/v1/keys", new { name = "studio" })).JsonAsync();
        var (tenant, secret) = (_farm.ClientWith((string)made["key"]!), (string)made["webhook_secret"]!);
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        var id = (string)(await _farm.SubmitAsync(new { prompt = "a ball", webhook_url = _receiver.Address }, tenant))["id"]!;

        var types = new List<string> { Check(await _receiver.NextAsync(), secret, id) };
        var lease = (await _farm.LeaseAsync(worker))!;
        await _farm.RenewAsync(lease);
        types.Add(Check(await _receiver.NextAsync(), secret, id));
        (await _farm.CompleteAsync(lease, await _farm.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();
        types.Add(Check(await _receiver.NextAsync(), secret, id));

        Assert.Equal(["video.queued", "video.started", "video.completed"], types);
        await LogAsync(id, log => log.Count == 3 && log.All(d => (string)d!["status"]! == "delivered"));
    }

    [Fact]
    public async Task Webhook_ReceiverFailsAtFirst_IsToldAgainUnderTheSameId()
    {
        _receiver.Answer = number => number == 1 ? (500, null) : (204, null);
        await _farm.RegisterWorkerAsync();
        var id = await SubmitAsync();

        var (first, second) = (await _receiver.NextAsync(), await _receiver.NextAsync());
        Assert.Equal(first.Id, second.Id);
        Assert.NotEqual(first.Signature, second.Signature);
        var log = await LogAsync(id, log => (string)log[0]!["status"]! == "delivered");
        Assert.Equal([500, 204], log[0]!["log"]!.AsArray().Select(made => (int)made!["status"]!));
        Assert.Equal("answered 500", (string)log[0]!["log"]![0]!["error"]!);
    }

    [Fact]
    public async Task Webhook_ReceiverIsGone_IsNeverToldAgain()
    {
        _receiver.Answer = _ => (410, null);
        await _farm.RegisterWorkerAsync();
        var log = await LogAsync(await SubmitAsync(), log => (string)log[0]!["status"]! == "failed");
        Assert.Equal(1, (int)log[0]!["tries"]!);
        Assert.Null(log[0]!["next_try_at"]);
    }

    [Fact]
    public async Task Webhook_ARedirect_IsNotFollowed()
    {
        await using var inside = await WebhookReceiver.StartAsync();
        _receiver.Answer = _ => (302, inside.Address.AbsoluteUri);
        await _farm.RegisterWorkerAsync();
        var log = await LogAsync(await SubmitAsync(), log => (int)log[0]!["tries"]! == 1);
        Assert.Contains("redirects are not followed", (string)log[0]!["log"]![0]!["error"]!, StringComparison.Ordinal);
        Assert.Equal(0, inside.Count);
    }

    [Fact]
    public async Task Webhook_ANameThatLeadsInside_IsNotConnectedTo()
    {
        await using var strict = await TestFarm.StartAsync();
        await strict.RegisterWorkerAsync();
        var id = (string)
            (await strict.SubmitAsync(new { prompt = "a ball", webhook_url = $"http://localhost:{_receiver.Address.Port}/" }))["id"]!;
        var log = await LogAsync(id, log => (int)log[0]!["tries"]! == 1, strict.User);
        Assert.Contains("does not lead to a public address", (string)log[0]!["log"]![0]!["error"]!, StringComparison.Ordinal);
        Assert.Equal(0, _receiver.Count);
    }

    [Theory]
    [InlineData("http://10.0.0.8/hook")]
    [InlineData("http://192.168.1.1/hook")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::1]/hook")]
    [InlineData("http://[::ffff:10.0.0.8]/hook")]
    [InlineData("http://[64:ff9b::a00:8]/hook")]
    [InlineData("http://[fd00::1]/hook")]
    [InlineData("http://[fe80::1]/hook")]
    [InlineData("http://167772168/hook")]
    [InlineData("http://0xa.0.0.8/hook")]
    [InlineData("http://012.0.0.010/hook")]
    [InlineData("http://0/hook")]
    [InlineData("http://user:password@example.org/hook")]
    public async Task Create_WebhookAtAPrivateAddress_IsRefusedInEverySpelling(string url)
    {
        await _farm.RegisterWorkerAsync();
        var refusal = await (await _farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a ball", webhook_url = url })).RefusalAsync();
        Assert.Equal((400, "invalid_value", "webhook_url"), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task Secret_Replaced_SignsFromThenOn()
    {
        await _farm.RegisterWorkerAsync();
        var secret = (string)(await (await _farm.User.PostAsync("/v1/webhooks/secret", null)).JsonAsync())["secret"]!;
        var id = await SubmitAsync();
        Assert.Equal("video.queued", Check(await _receiver.NextAsync(), secret, id));
    }

    [Fact]
    public async Task Webhooks_OfAnotherTenant_AreNotFound()
    {
        await _farm.RegisterWorkerAsync();
        var id = await SubmitAsync();
        var other = await _farm.NewTenantAsync("read");
        Assert.Equal(404, (await (await other.GetAsync($"/v1/videos/{id}/webhooks")).RefusalAsync()).Status);
    }

    [Fact]
    public void Sign_TheExampleOfTheStandard_GivesItsSignature() =>
        Assert.Equal(
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookMessage.Sign(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330,
                """{"test": 2432232314}"""u8
            )
        );

    [Fact]
    public void After_UntilTheDayIsOver_PausesGrow()
    {
        var pauses = Enumerable.Range(1, 11).Select(tries => WebhookSchedule.After(tries, 500, 0)).ToList();
        Assert.Null(pauses[^1]);
        Assert.Equal(pauses[..^1], pauses[..^1].Order());
        Assert.InRange(pauses[..^1].Sum(pause => pause!.Value.TotalHours), 20, 26);
    }

    private async Task<string> SubmitAsync() =>
        (string)(await _farm.SubmitAsync(new { prompt = "a ball", webhook_url = _receiver.Address }))["id"]!;

    private async Task<JsonArray> LogAsync(string id, Func<JsonArray, bool> wanted, HttpClient? by = null) =>
        await Eventually.ValueAsync(
            async () => (await (await (by ?? _farm.User).GetAsync($"/v1/videos/{id}/webhooks")).JsonAsync())["data"]!.AsArray(),
            log => log.Count > 0 && wanted(log),
            TimeSpan.FromSeconds(30),
            "the delivery log"
        );

    /// <summary>Checks a delivery as any receiver would.</summary>
    /// <returns>Its type.</returns>
    private static string Check(Received got, string secret, string id)
    {
        var signed = Encoding.UTF8.GetBytes($"{got.Id}.{got.Timestamp}.").Concat(got.Body).ToArray();
        var expected = Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed));
        Assert.Equal($"v1,{expected}", got.Signature);
        Assert.InRange(
            TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()
                - long.Parse(got.Timestamp, System.Globalization.CultureInfo.InvariantCulture),
            0,
            60
        );
        var body = JsonNode.Parse(got.Body)!;
        Assert.Equal((id, got.Id), ((string)body["data"]!["id"]!, (string)body["id"]!));
        return (string)body["type"]!;
    }
}
