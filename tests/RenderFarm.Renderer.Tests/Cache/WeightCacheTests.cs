using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;
using static RenderFarm.Contracts.Rendering.RendererReport;

namespace RenderFarm.Renderer.Tests.Cache;

/// <summary>A host's weight cache, shared by real renderer processes.</summary>
public sealed class WeightCacheTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly RandomTinyModel _model = new();

    private string Root => _folder.File("cache");

    [Fact]
    public async Task Render_TwoRenderersOfOneModelAtOnce_PrepareItOnceAndRenderTheSame()
    {
        var both = await Task.WhenAll(RenderAsync("tiny"), RenderAsync("tiny"));

        Assert.All(both, one => Assert.IsType<Finished>(one.Ending));
        Assert.Equal(both[0].Frames, both[1].Frames);
        Assert.Single(BlocksOf("tiny"));
    }

    [Fact]
    public async Task Render_BlocksNeverFinished_AreMadeAnew()
    {
        var whole = await RenderAsync("tiny");
        var blocks = Assert.Single(BlocksOf("tiny"));
        File.Delete(WeightCacheFiles.CompletePath(blocks));
        await File.WriteAllTextAsync(blocks, "half of it", TestContext.Current.CancellationToken);

        var again = await RenderAsync("tiny");

        Assert.Equal(whole.Frames, again.Frames);
        Assert.True(File.Exists(WeightCacheFiles.CompletePath(blocks)));
    }

    [Fact]
    public async Task Check_DamagedBlock_IsFoundRemovedAndRebuilt()
    {
        var whole = await RenderAsync("tiny");
        var blocks = Assert.Single(BlocksOf("tiny"));
        Assert.Equal((0, true), await CheckAsync(says: "whole"));
        await using (var file = File.OpenWrite(blocks))
        {
            file.Position = file.Length - 100;
            file.WriteByte(0x5A);
            file.WriteByte(0xA5);
        }

        Assert.Equal((1, true), await CheckAsync(says: "block 1 is not what was written"));
        Assert.Equal((0, true), await CheckAsync(says: "removed", "--repair"));

        Assert.Empty(BlocksOf("tiny"));
        Assert.Equal(whole.Frames, (await RenderAsync("tiny")).Frames);
    }

    [Fact]
    public async Task Render_CacheFull_RemovesWhatIsOldestAndNotInUse()
    {
        await RenderAsync("first");
        await RenderAsync("second");
        var one = new FileInfo(Assert.Single(BlocksOf("first"))).Length;
        using var holder = new RendererProcess("render");
        holder.Send(Order("first", RendererProcess.MakePipe(_folder), steps: 1000));
        await holder.UntilAsync<StepDone>();
        holder.Signal("STOP"); // At work for as long as this takes

        // Room for two: 'second' is not the oldest now, and 'first' is in use
        Assert.IsType<Finished>((await RenderAsync("third", limit: 2 * one)).Ending);
        Assert.Single(BlocksOf("first"));
        Assert.Empty(BlocksOf("second"));

        var refused = Assert.IsType<Failed>((await RenderAsync("fourth", limit: one)).Ending);
        Assert.Equal((FailureReason.HostOutOfMemory, one), (refused.Reason, refused.Measurements!.RequestedBytes));
        Assert.Contains("Worker:WeightCacheGigabytes", refused.Message, StringComparison.Ordinal);

        holder.CloseInput();
        holder.Signal("CONT");
        await holder.ToEndAsync();
        Assert.IsType<Finished>((await RenderAsync("fourth", limit: one)).Ending);
        Assert.Empty(BlocksOf("first"));
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private string[] BlocksOf(string id) =>
        Directory.Exists(Path.Combine(Root, id)) ? Directory.GetFiles(Path.Combine(Root, id), "*" + WeightCacheFiles.Blocks) : [];

    private RenderOrder Order(string id, string pipe, int steps = 1, long? limit = null)
    {
        var order = _model.Order(pipe, steps: steps);
        return order with
        {
            Plan = order.Plan with { Precision = Precision.Bf16, BlocksResident = 1, BlocksStreamed = 1, RingSlots = 1 },
            WeightCache = Path.Combine(Root, id),
            WeightCacheLimitBytes = limit,
        };
    }

    private async Task<(byte[] Frames, RendererReport Ending)> RenderAsync(string id, long? limit = null)
    {
        using var own = new TemporaryFolder();
        var pipe = RendererProcess.MakePipe(own);
        using var renderer = new RendererProcess("render");
        var reading = ReadAsync(pipe);
        renderer.Send(Order(id, pipe, limit: limit));
        var (reports, _) = await renderer.ToEndAsync();
        if (reports[^1] is not Finished)
        {
            await File.WriteAllBytesAsync(pipe, [], TestContext.Current.CancellationToken); // Its reader waits for a writer
        }

        return (await reading.WaitAsync(Soon, TestContext.Current.CancellationToken), reports[^1]);
    }

    private static async Task<byte[]> ReadAsync(string pipe)
    {
        using var frames = new MemoryStream();
        await using var stream = await Task.Run(() => File.OpenRead(pipe));
        await stream.CopyToAsync(frames, TestContext.Current.CancellationToken);
        return frames.ToArray();
    }

    private async Task<(int Code, bool Said)> CheckAsync(string says, params string[] options)
    {
        using var check = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(RendererProcess.Binary, ["cache", "check", Root, .. options])
            {
                RedirectStandardOutput = true,
            }
        )!;
        var said = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (check.ExitCode, said.Contains(says, StringComparison.Ordinal));
    }
}
