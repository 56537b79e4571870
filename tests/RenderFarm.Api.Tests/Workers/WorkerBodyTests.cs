using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>Bodies of the worker protocol that are not what they should be: refused by the field, without a type of ours.</summary>
public sealed class WorkerBodyTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private readonly TestFarm _farm = fixture.Farm;

    [Theory]
    [InlineData("", null)]
    [InlineData("null", null)]
    [InlineData("{", null)]
    [InlineData("[]", "body")]
    [InlineData("{}", "secret")]
    [InlineData("""{"secret":1,"identity":"a","name":"n","host":"h","version":"v"}""", "secret")]
    [InlineData("""{"secret":null,"identity":"a","name":"n","host":"h","version":"v"}""", "secret")]
    [InlineData("""{"secret":"a","identity":"a","name":"n","host":"h","version":"v","protocol":"x"}""", "protocol")]
    public async Task Enroll_WithAnotherBody_IsRefusedByTheField(string body, string? field) =>
        await RefusedAsync("/worker/v1/enroll", body, field);

    [Theory]
    [InlineData("slots", "[null]", "slots")]
    [InlineData("slots", "[{}]", "slots[0].id")]
    [InlineData("slots", "[3]", "slots[0]")]
    [InlineData("models", "[null]", "models")]
    [InlineData("models", "[{}]", "models[0].id")]
    [InlineData("models", """[{"id":"m","shape":null,"fingerprints":{}}]""", "models[0].shape")]
    [InlineData("name", "\"a\\u001b[31mb\"", "name")]
    [InlineData("name", "\"two\\nlines\"", "name")]
    [InlineData("name", "\"\\u202eback\"", "name")]
    [InlineData("name", "\"  \"", "name")]
    [InlineData("host", "\"\"", "host")]
    [InlineData("version", "\"\\u0007\"", "version")]
    public async Task Register_WithAMemberThatCantBe_IsRefusedByTheField(string member, string value, string field)
    {
        var body = JsonNode.Parse(Contract(TestFarm.Registration("w1")))!;
        body[member] = JsonNode.Parse(value);
        await RefusedAsync("/worker/v1/register", body.ToJsonString(), field);
    }

    [Theory]
    [InlineData("uploads", """ "kind":"video","size_bytes":1,"sha256":"a","parts_md5":[null] """, "parts_md5")]
    [InlineData("uploads/a/complete", """ "etags":[null] """, "etags")]
    [InlineData("complete", """ "artifacts":[null] """, "artifacts")]
    [InlineData("complete", """ "artifacts":[{"kind":"video"}] """, "artifacts[0].key")]
    [InlineData("fail", """ "reason":"transient" """, "message")]
    [InlineData("renew", """ "stage":3 """, "stage")]
    public async Task Report_WithAMemberThatCantBe_IsRefusedByTheField(string call, string members, string field) =>
        await RefusedAsync(
            $"/worker/v1/leases/video_00000000000000000000000000000000/{call}",
            $$"""{"fence":1,"token":"{{Token}}",{{members}}}""",
            field
        );

    [Fact]
    public async Task Report_WithATokenThatIsNone_SaysWhatATokenIs()
    {
        var message = await RefusedAsync(
            "/worker/v1/leases/video_00000000000000000000000000000000/renew",
            """{"fence":1,"token":"x","stage":"denoising"}""",
            "token"
        );
        Assert.Contains("the one that the lease was granted with", message, StringComparison.Ordinal);
    }

    private static string Contract(RegisterWorkerRequest request) =>
        System.Text.Json.JsonSerializer.Serialize(request, RenderFarm.Contracts.Json.ContractsJson.Default.RegisterWorkerRequest);

    private async Task<string> RefusedAsync(string path, string body, string? field)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var (status, _, param, message) = await (await _farm.Worker.PostAsync(path, content)).RefusalAsync();
        Assert.Equal((400, field), (status, param));
        Assert.DoesNotContain("RenderFarm.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("Service", message, StringComparison.Ordinal);
        return message;
    }
}
