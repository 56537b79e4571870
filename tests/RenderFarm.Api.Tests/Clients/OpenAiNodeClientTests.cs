using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using RenderFarm.Api.Tests.Inputs;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>The official JavaScript client, unmodified: only its base URL and key are ours.</summary>
public sealed class OpenAiNodeClientTests
{
    [Fact]
    public async Task Client_EverythingItOffers_WorksAgainstTheFarm()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync("w1", ModelShapes.Tiny, TinyShapes.ImageToVideo, ModelShapes.T2v14B);
        var app = await KeyAsync(farm, new { name = "app" });
        var reader = await KeyAsync(farm, new { name = "reader", scopes = new[] { "read" } });
        var limited = await KeyAsync(farm, new { name = "limited", requests_per_minute = 1 });
        var finished = await FinishAsync(farm, worker, farm.ClientWith(app));
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("picture.png"), SamplePictures.Png(64, 64));

        var said = await NodeProgram.RunAsync(
            "videos.cjs",
            $"{farm.Address}v1",
            app,
            reader,
            limited,
            finished,
            folder.File("picture.png")
        );

        Assert.Equal(
            ["create", "retrieve", "list", "content", "remix", "delete", "errors"],
            said["done"]!.AsArray().Select(step => (string)step!)
        );
    }

    [Fact]
    public async Task Client_AnswerCutAfterTheCommit_MakesOneVideoByItsOwnRetry()
    {
        await using var database = await PostgresDatabase.CreateAsync();
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString);
        using var toStore = new CuttableProxy(connection.Host!, connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", toStore.Port);
        await using var farm = await TestFarm.StartAsync();
        await using var away = await TestFarm.StartAsync(
            "--Store:Kind=postgres",
            $"--Store:ConnectionString={connection.ConnectionString}",
            $"--Keys:BootstrapFile={farm.KeysFile}"
        );
        await away.User.GetAsync("/v1/videos");
        toStore.Cut();
        await farm.RegisterWorkerAsync();
        using var cutter = new AnswerCutter(farm.Address);

        var said = await NodeProgram.RunAsync("retries.cjs", $"{cutter.Address}v1", farm.AdminKey, $"{away.Address}v1");

        Assert.True(cutter.HasCut);
        var only = Assert.Single((await (await farm.User.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray());
        Assert.Equal((string)said["id"]!, (string)only!["id"]!);
    }

    private static async Task<string> KeyAsync(TestFarm farm, object fields) =>
        (string)(await (await farm.User.PostAsJsonAsync("/v1/keys", fields)).JsonAsync())["key"]!;

    /// <summary>A finished video with all three files, each of which says what it is.</summary>
    private static async Task<string> FinishAsync(TestFarm farm, string worker, HttpClient by)
    {
        var id = (string)(await farm.SubmitAsync(by: by))["id"]!;
        var lease = (await farm.LeaseAsync(worker))!;
        await farm.RenewAsync(lease);
        using var folder = new TemporaryFolder();
        var files = new List<Artifact>();
        foreach (
            var (kind, type) in ((ArtifactKind, string)[])
                [(ArtifactKind.Video, "video/mp4"), (ArtifactKind.Thumbnail, "image/webp"), (ArtifactKind.Spritesheet, "image/webp")]
        )
        {
            var bytes = Encoding.UTF8.GetBytes($"the {kind.ToString().ToLowerInvariant()}");
            await File.WriteAllBytesAsync(folder.File(kind.ToString()), bytes);
            var file = new Artifact(
                kind,
                ObjectKeys.For(kind, lease.Lease.Name),
                type,
                bytes.Length,
                Convert.ToHexStringLower(SHA256.HashData(bytes))
            );
            await farm.Artifacts.PutFileAsync(file.Key, folder.File(kind.ToString()), type, file.Sha256, CancellationToken.None);
            files.Add(file);
        }

        (await farm.CompleteAsync(lease, [.. files])).EnsureSuccessStatusCode();
        return id;
    }
}
