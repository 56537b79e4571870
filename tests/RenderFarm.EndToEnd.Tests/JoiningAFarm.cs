using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>Other machines join a farm on PostgreSQL, RabbitMQ and S3, with an invitation in hand and no password at all.</summary>
public sealed class JoiningAFarm
{
    private static readonly TimeSpan ALittle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AWhile = TimeSpan.FromSeconds(180);

    [Fact]
    public async Task TwoHosts_JoinRenderAndOneIsRevoked()
    {
        await using var services = await FarmOnServices.CreateAsync();
        var management = TestServices.RabbitMqManagement;
        using var line = new CuttableProxy(TestServices.S3.Host, TestServices.S3.Port);
        using var folder = new TemporaryFolder();
        await using var farm = await FarmUnderTest.StartAsync(
            services.Setup with
            {
                S3 = line.Through(TestServices.S3),
                More = new Dictionary<string, string> { ["Bus__ManagementUri"] = management.OriginalString },
            },
            workers: 0
        );

        // Each makes a key of its own, and one started again needs no invitation.
        var east = await farm.StartHostAsync("east", await InviteAsync(farm));
        var west = await farm.StartHostAsync("west", await InviteAsync(farm));
        Assert.Equal(0, await west.StopAsync());
        west = await farm.StartHostAsync("west", join: null);
        var ids = (await farm.GetAsync("/v1/workers")).GetProperty("data").EnumerateArray()
            .ToDictionary(worker => worker.GetProperty("name").GetString()!, worker => worker.GetProperty("id").GetString()!);
        Assert.Equal(["east", "west"], ids.Keys.Order(StringComparer.Ordinal));
        await farm.EventuallyAsync(
            async () => (await services.Host.QueuesAsync()).Intersect(ids.Values.Select(id => $"renderfarm.worker.{id}")).Count() == 2,
            ALittle,
            "both hosts to listen to their queues on the broker"
        );

        // A job on each.
        foreach (var (name, other) in new[] { ("east", "west"), ("west", "east") })
        {
            (await farm.PostAsync($"/v1/workers/{ids[other]}/drain")).EnsureSuccessStatusCode();
            var video = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
            await farm.CompletedAsync(video, AWhile);
            Assert.Equal(ids[name], Assert.Single(await farm.AttemptsAsync(video)).GetProperty("worker").GetString());
            (await farm.PostAsync($"/v1/workers/{ids[other]}/resume")).EnsureSuccessStatusCode();
        }

        // Neither environment nor disk of a host has a secret of the farm's, but its own key.
        var secrets = SecretsOf(farm, services, management);
        foreach (var (name, process) in new[] { ("east", east), ("west", west) })
        {
            AssertNone(secrets, $"/proc/{process.Id}/environ");
            var files = new DirectoryInfo(farm.HostHome(name)).EnumerateFiles("*", SearchOption.AllDirectories).ToList();
            Assert.Contains(files, file => file.Name == "farm.json");
            // The lock, which nobody else may open, is empty
            foreach (var file in files.Where(file => file.Length > 0))
            {
                AssertNone(secrets, file.FullName);
            }
        }

        // One is taken out in the middle of a job: it stops by itself, and the other has the job.
        (await farm.PostAsync($"/v1/workers/{ids["west"]}/drain")).EnsureSuccessStatusCode();
        var slow = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(slow, ALittle);
        (await farm.PostAsync($"/v1/workers/{ids["west"]}/resume")).EnsureSuccessStatusCode();
        using var here = EastAt(new Uri(farm.Url));
        using var there = EastAt(await farm.StartAnotherApiAsync());
        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], new[] { await LookAsync(here), await LookAsync(there) });
        using var revoked = await farm.Http.DeleteAsync(
            new Uri($"/v1/workers/{ids["east"]}", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        revoked.EnsureSuccessStatusCode();

        Assert.Equal(HttpStatusCode.Unauthorized, await LookAsync(here));
        // 15 s, and the pause between two looks
        await farm.EventuallyAsync(
            async () => await LookAsync(there) == HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(16),
            "the other API to refuse the key"
        );
        Assert.Equal(WorkerExit.Refused, await east.ExitAsync(ALittle));
        Assert.Contains("revoked", east.LastWords(), StringComparison.Ordinal);
        await farm.CompletedAsync(slow, AWhile);
        var attempts = await farm.AttemptsAsync(slow);
        Assert.Equal([ids["east"], ids["west"]], attempts.Select(attempt => attempt.GetProperty("worker").GetString()!));
        Assert.Equal(1, (await farm.VideoAsync(slow)).GetProperty("attempt").GetInt32());

        // Without a password, and over a line that breaks.
        var encoder = await LargeVideos.EncoderAsync(folder);
        Assert.Equal(0, await west.StopAsync());
        west = await farm.StartHostAsync("west", join: null, encoder);
        await LargeVideos.CutTwiceAsync(farm, line, west, () => farm.StartHostAsync("west", join: null, encoder));

        HttpClient EastAt(Uri api)
        {
            var joined = JsonDocument.Parse(File.ReadAllText(Path.Combine(farm.HostHome("east"), "worker", "farm.json")));
            return new HttpClient
            {
                BaseAddress = api,
                DefaultRequestHeaders = { Authorization = new("Bearer", joined.RootElement.GetProperty("key").GetString()) },
            };
        }
    }

    /// <returns>Forbidden while the key is good: it is for other things.</returns>
    private static async Task<HttpStatusCode> LookAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(new Uri("/v1/videos", UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static async Task<string> InviteAsync(FarmUnderTest farm)
    {
        using var made = await farm.Http.PostAsJsonAsync("/v1/workers/invitations", new { });
        made.EnsureSuccessStatusCode();
        return (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("join").GetString()!;
    }

    /// <summary>Every password and key that this farm runs on.</summary>
    private static string[] SecretsOf(FarmUnderTest farm, FarmOnServices services, Uri management)
    {
        var keys = JsonDocument.Parse(File.ReadAllText(Path.Combine(farm.Home, "keys.json"))).RootElement;
        var database = new Npgsql.NpgsqlConnectionStringBuilder(services.Database.ConnectionString);
        return
        [
            keys.GetProperty("admin_key").GetString()!,
            keys.GetProperty("worker_key").GetString()!,
            TestServices.S3.UserInfo.Split(':')[1],
            $"{management.UserInfo}@",
            database.Database!,
        ];
    }

    private static void AssertNone(string[] secrets, string file)
    {
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file));
        Assert.DoesNotContain(secrets, secret => text.Contains(secret, StringComparison.Ordinal));
    }
}
