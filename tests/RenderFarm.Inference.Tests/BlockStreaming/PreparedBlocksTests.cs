using System.Diagnostics;
using System.Runtime.InteropServices;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Quantization;
using RenderFarm.Testing;

namespace RenderFarm.Inference.Tests.BlockStreaming;

public sealed class PreparedBlocksTests : IDisposable
{
    private static readonly BlockLayout Layout = BlockLayout.Of(weights => weights.Linear("q", 64, 64), WeightFormat.BFloat16);

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Create_SeveralWorkers_EveryBlockHasItsOwnBytes(int workers)
    {
        using var prepared = PreparedBlocks.Create(_folder.File("a.blocks"), Layout, 9, Numbered(workers));

        Assert.All(Enumerable.Range(0, 9), block => Assert.Equal(block + 1, LastByte(prepared, block)));
        Assert.Null(PreparedBlocks.Damage(_folder.File("a.blocks")));
    }

    [Fact]
    public void Share_OneOwnerGone_BlocksStayForTheOther()
    {
        var path = _folder.File("a.blocks");
        PreparedBlocks.Create(path, Layout, 2, Numbered(workers: 1)).Dispose();
        var hold = new Hold();
        var first = PreparedBlocks.Open(path, Layout, 2, hold)!;
        var second = first.Share();

        first.Dispose();
        first.Dispose();

        Assert.Equal(2, LastByte(second, 1));
        Assert.Equal(0, hold.Ends);
        second.Dispose();
        Assert.Equal(1, hold.Ends);
        Assert.Throws<ObjectDisposedException>(() => first.Share());
    }

    [Fact]
    public async Task Create_FileSystemTooSmall_SaysSoAndEndsNoProcess()
    {
        Directory.CreateDirectory(_folder.File("small"));
        using var mount = Process.Start(
            new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", _folder.File("small")])
            {
                RedirectStandardError = true,
            }
        )!;
        await mount.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(mount.ExitCode != 0, "a small file system can't be mounted here (needs root)");
        try
        {
            var full = Assert.Throws<IOException>(() =>
                PreparedBlocks.Create(_folder.File("small/a.blocks"), Layout, 20, Numbered(workers: 2))
            );

            Assert.Equal(28, full.HResult & 0xFFFF); // As every full disk: ENOSPC
            Assert.False(File.Exists(PreparedBlocks.MarkerPath(_folder.File("small/a.blocks"))));
        }
        finally
        {
            using var gone = Process.Start("umount", ["--lazy", _folder.File("small")]);
            await gone.WaitForExitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => _folder.Dispose();

    private static BlockFiller Numbered(int workers) =>
        new(
            (block, address) =>
                Marshal.Copy(Enumerable.Repeat((byte)(block + 1), (int)Layout.Bytes).ToArray(), 0, address, (int)Layout.Bytes),
            workers
        );

    private static int LastByte(PreparedBlocks prepared, int block) =>
        Marshal.ReadByte(prepared.Block(block), (int)prepared.BlockBytes - 1);

    private sealed class Hold : IDisposable
    {
        public int Ends { get; private set; }

        public void Dispose() => Ends++;
    }
}
