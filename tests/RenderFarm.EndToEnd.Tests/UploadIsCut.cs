using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>A large video on its way to S3 from a host that has no key of it, over a line that breaks.</summary>
public sealed class UploadIsCut
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    /// <summary>First the line is cut; the second time the worker is killed as well.</summary>
    [Fact]
    public async Task Upload_CutTwice_GoesOnWhereItWas()
    {
        var s3 = TestServices.S3;
        using var line = new CuttableProxy(s3.Host, s3.Port);
        using var folder = new TemporaryFolder();
        var more = new Dictionary<string, string> { ["Worker__FfmpegPath"] = await LargeVideos.EncoderAsync(folder) };
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { S3 = line.Through(s3), More = more }, workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        await LargeVideos.CutTwiceAsync(farm, line, worker, () => farm.StartWorkerAsync("worker-1"));
    }

    [Fact]
    public async Task Worker_ThatHasStoredAVideo_HoldsNothingOfTheStore()
    {
        var s3 = TestServices.S3;
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { S3 = s3 }, workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        await farm.CompletedAsync(id, Soon);

        var secret = s3.UserInfo.Split(':')[1];
        var environment = await File.ReadAllTextAsync($"/proc/{worker.Id}/environ", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(secret, environment, StringComparison.Ordinal);
        Assert.DoesNotContain("Artifacts__", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("Store__", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Amz-Signature", worker.LastWords(lines: 10_000), StringComparison.Ordinal);

        await worker.StopAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(farm.Home, "worker-1"), "*", SearchOption.AllDirectories))
        {
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.False(text.Contains(secret, StringComparison.Ordinal), file);
        }
    }
}
