using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Artifacts;
using RenderFarm.Hosting.Folders;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Audit;

public sealed class AuditTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _farm.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Artifacts_OfVideosAndOfNobody_ListsAndRemovesThoseOfNobody()
    {
        var mine = await _farm.FinishVideoAsync([1, 2, 3]);
        foreach (var stranger in new[] { "video_a", "video_b" })
        {
            await StoreAsync(stranger);
        }

        var first = await AuditAsync(HttpMethod.Get, "?older_than=1h&limit=1");
        Assert.Equal(["video_a"], Jobs(first));
        Assert.True((bool)first["has_more"]!);
        var second = await AuditAsync(HttpMethod.Get, $"?older_than=1h&limit=1&after={Uri.EscapeDataString((string)first["last_id"]!)}");
        Assert.Equal((false, "video_b"), ((bool)second["has_more"]!, Assert.Single(Jobs(second))));
        Assert.Equal(3, (long)second["data"]![0]!["size_bytes"]!);
        Assert.Empty(Jobs(await AuditAsync(HttpMethod.Get, "?older_than=3h")));

        Assert.Equal(["video_a", "video_b"], Jobs(await AuditAsync(HttpMethod.Delete, "?older_than=1h")));
        Assert.Empty(Jobs(await AuditAsync(HttpMethod.Get, "?older_than=1h")));
        Assert.Equal([1, 2, 3], await _farm.User.GetByteArrayAsync($"/v1/videos/{mine}/content"));
    }

    [Theory]
    [InlineData("older_than=59m", "older_than")]
    [InlineData("older_than=soon", "older_than")]
    [InlineData("older_than=999999999d", "older_than")]
    [InlineData("limit=0", "limit")]
    [InlineData("oder_than=7d", "oder_than")]
    public async Task Artifacts_QueryThatIsNone_IsRefusedByName(string query, string param)
    {
        var refusal = await (await _farm.User.GetAsync($"/v1/audit/artifacts?{query}")).RefusalAsync();
        Assert.Equal((400, param), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task Artifacts_ByATenant_AreRefused()
    {
        var tenant = await _farm.NewTenantAsync("submit", "read");
        Assert.Equal(403, (await (await tenant.GetAsync("/v1/audit/artifacts")).RefusalAsync()).Status);
        Assert.Equal(403, (await (await tenant.DeleteAsync("/v1/audit/artifacts")).RefusalAsync()).Status);
    }

    /// <summary>Two hours ago, as the folder tells it.</summary>
    private async Task StoreAsync(string job)
    {
        var (stop, file) = (TestContext.Current.CancellationToken, _folder.File("content"));
        await File.WriteAllBytesAsync(file, [1, 2, 3], stop);
        var key = ObjectKeys.Input(job, "input_reference");
        await _farm.Artifacts.PutFileAsync(key, file, "image/png", await FileChecksum.Sha256Async(file, stop), stop);
        var root = _farm.Services.GetRequiredService<IConfiguration>()["Artifacts:Directory"]!;
        File.SetLastWriteTimeUtc(Path.Combine(root, key), TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromHours(2));
    }

    private async Task<JsonNode> AuditAsync(HttpMethod method, string query)
    {
        var reply = await _farm.User.SendAsync(new HttpRequestMessage(method, $"/v1/audit/artifacts{query}"));
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return await reply.JsonAsync();
    }

    private static IEnumerable<string> Jobs(JsonNode page) =>
        page["data"]!.AsArray().Select(one => ((string)one!["key"]!).Split('/')[1]);
}
