using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;
using static RenderFarm.Contracts.Rendering.RendererReport;

namespace RenderFarm.Renderer.Tests.Protocol;

/// <summary>A renderer that stands by gets ready for the job that is expected.</summary>
public sealed class AheadOfOrderTests(RandomTinyModel model) : IClassFixture<RandomTinyModel>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Cache => _folder.File("cache");

    [Fact]
    public async Task Render_AfterAnOrderAhead_SameFramesFromWeightsThatWereNear()
    {
        var plain = await RenderAsync([]);
        var prompts = Prompts();

        var near = await RenderAsync([Order(""), Order("")], loaded: renderer => Assert.Equal(1, BlocksMapped(renderer)));

        Assert.Equal(plain.Frames, near.Frames);
        Assert.Equal(
            [typeof(Ready), typeof(Loaded), typeof(Loaded), typeof(StageStarted)],
            near.Reports.Take(4).Select(one => one.GetType())
        );
        Assert.All(near.Reports.OfType<Loaded>(), loaded => Assert.Null(loaded.Fault));
        Assert.Equal(prompts, Prompts()); // Nothing of it was kept
    }

    [Fact]
    public async Task Render_AnotherModelsOrder_LetsGoOfWhatWasNear()
    {
        var other = Order("") with { WeightCache = _folder.File("other") };

        var rendered = await RenderAsync([other], loaded: renderer => Assert.Equal(1, BlocksMapped(renderer)), steps: 1000, cut: true);

        Assert.DoesNotContain(rendered.Mapped, path => path.StartsWith(other.WeightCache!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Render_OrderWhileItGetsReady_GivesWay()
    {
        using var renderer = new RendererProcess("render");
        await renderer.UntilAsync<Ready>();
        // Two lines at once: the second is there before anything of the first is done
        var pipe = RendererProcess.MakePipe(_folder);
        renderer.Send(Order("") with { Ahead = true });
        renderer.Send(Order(pipe, steps: 1000));

        var first = await renderer.NextAsync();
        await renderer.UntilAsync<StepDone>();

        Assert.IsType<StageStarted>(first);
        renderer.CloseInput();
        await renderer.ToEndAsync();
    }

    [Fact]
    public async Task Render_OrderAheadOfAMissingModel_SaysSoAndRendersAnother()
    {
        var missing = Order("");
        var rendered = await RenderAsync([missing with { Files = missing.Files with { Vae = [_folder.File("none.safetensors")] } }]);

        Assert.Contains("none.safetensors", Assert.Single(rendered.Reports.OfType<Loaded>()).Fault, StringComparison.Ordinal);
        Assert.IsType<Finished>(rendered.Reports[^1]);
    }

    [Fact]
    public async Task Render_InputEndsAfterAnOrderAhead_ExitsQuietly()
    {
        using var renderer = new RendererProcess("render");
        renderer.Send(Order("") with { Ahead = true });
        await renderer.UntilAsync<Loaded>();
        renderer.CloseInput();

        Assert.Equal(0, (await renderer.ToEndAsync()).ExitCode);
    }

    public void Dispose() => _folder.Dispose();

    private IEnumerable<string> Prompts() => Directory.GetFiles(Cache, "*.prompt").Order(StringComparer.Ordinal).ToList();

    private static int BlocksMapped(RendererProcess renderer) => Mapped(renderer).Count;

    private static HashSet<string> Mapped(RendererProcess renderer) =>
        [
            .. File.ReadAllLines($"/proc/{renderer.Id}/maps")
                .Where(line => line.EndsWith(WeightCacheFiles.Blocks, StringComparison.Ordinal))
                .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]),
        ];

    private RenderOrder Order(string pipe, int steps = 1)
    {
        var order = model.Order(pipe, steps: steps);
        return order with
        {
            Plan = order.Plan with { Precision = Precision.Bf16, BlocksResident = 1, BlocksStreamed = 1, RingSlots = 1 },
            WeightCache = Cache,
            WorkDirectory = _folder.Path,
        };
    }

    /// <param name="loaded">Looks at the renderer after each order ahead.</param>
    /// <param name="cut">Ends it after its first step.</param>
    private async Task<(byte[] Frames, IReadOnlyList<RendererReport> Reports, IReadOnlyCollection<string> Mapped)> RenderAsync(
        IReadOnlyList<RenderOrder> ahead,
        Action<RendererProcess>? loaded = null,
        int steps = 1,
        bool cut = false
    )
    {
        using var own = new TemporaryFolder();
        var pipe = RendererProcess.MakePipe(own);
        using var renderer = new RendererProcess("render");
        var reports = new List<RendererReport> { await renderer.UntilAsync<Ready>() };
        foreach (var order in ahead)
        {
            renderer.Send(order with { Ahead = true });
            reports.Add(await renderer.UntilAsync<Loaded>());
            loaded?.Invoke(renderer);
        }

        renderer.Send(Order(pipe, steps));
        if (cut)
        {
            await renderer.UntilAsync<StepDone>();
            var mapped = Mapped(renderer);
            renderer.CloseInput();
            await renderer.ToEndAsync();
            return ([], reports, mapped);
        }

        await using var stream = await Task.Run(() => File.OpenRead(pipe), TestContext.Current.CancellationToken);
        using var frames = new MemoryStream();
        await stream.CopyToAsync(frames, TestContext.Current.CancellationToken);
        reports.AddRange((await renderer.ToEndAsync()).Reports);
        return (frames.ToArray(), reports, []);
    }
}
