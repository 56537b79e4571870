using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using static RenderFarm.Contracts.Rendering.RendererReport;

namespace RenderFarm.Renderer.Tests.Protocol;

/// <summary>A whole render with a model of every kind, each in a process of its own.</summary>
public sealed class ModelKindsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("tiny-i2v", 1)]
    [InlineData("tiny-flf2v", 2)]
    [InlineData("tiny-t2v-experts", 0)]
    [InlineData("tiny-i2v-experts", 1)]
    [InlineData("tiny-i2v-experts", 2)]
    [InlineData("tiny-ti2v", 0)]
    [InlineData("tiny-ti2v", 1)]
    public async Task Render_EveryKind_WritesEveryFrameAndFollowsThePicture(string id, int pictures)
    {
        var shape = ModelShapes.Get(id);
        using var model = new RandomTinyModel(shape);
        var order = Order(model, shape, pictures, "red");

        var (frames, reports) = await RendererProcess.RenderAsync(order, _folder);

        Assert.Equal(5 * 32 * 32 * 3, frames.Length);
        RenderStage[] withPictures =
        [
            RenderStage.Loading,
            RenderStage.EncodingText,
            RenderStage.EncodingImage,
            RenderStage.Denoising,
            RenderStage.Decoding,
        ];
        Assert.Equal(
            pictures > 0 ? withPictures : withPictures.Where(stage => stage != RenderStage.EncodingImage),
            reports.OfType<StageStarted>().Select(r => r.Stage)
        );
        var finished = Assert.IsType<Finished>(reports[^1]);
        Assert.Null(finished.Warning);
        Assert.Equal(pictures > 0, finished.Measurements.EncodeImageSeconds > 0);
        if (pictures > 0)
        {
            Assert.NotEqual(frames, (await RendererProcess.RenderAsync(Order(model, shape, pictures, "blue"), _folder)).Frames);
        }
    }

    [Theory]
    [InlineData("tiny", 1, "leave 'input_reference' out")]
    [InlineData("tiny-i2v", 0, "give 'input_reference'")]
    [InlineData("tiny-flf2v", 1, "give 'last_frame'")]
    [InlineData("tiny-ti2v", 2, "leave 'last_frame' out")]
    public async Task Render_PicturesThatTheModelDoesNotTake_AreRefusedByName(string id, int pictures, string remedy)
    {
        var shape = ModelShapes.Get(id);
        using var model = new RandomTinyModel(shape);
        using var renderer = new RendererProcess("render");
        renderer.Send(Order(model, shape, pictures, "red"));

        var (reports, _) = await renderer.ToEndAsync();

        var failed = Assert.IsType<Failed>(reports[^1]);
        Assert.Equal(FailureReason.InvalidRequest, failed.Reason);
        Assert.Contains(remedy, failed.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private RenderOrder Order(RandomTinyModel model, ModelShape shape, int pictures, string colour)
    {
        var inputs = new Dictionary<string, string>();
        if (pictures > 0)
        {
            inputs[InputRoles.FirstFrame] = Picture(colour);
        }

        if (pictures > 1)
        {
            inputs[InputRoles.LastFrame] = Picture("green");
        }

        return model.Order(_folder.File("frames"), steps: shape.Defaults.Steps, width: 32, height: 32) with
        {
            InputFiles = inputs,
        };
    }

    /// <summary>An uncompressed picture of 3 × 2 pixels.</summary>
    private string Picture(string colour)
    {
        byte[] pixel = colour switch
        {
            "red" => [0, 0, 255],
            "green" => [0, 255, 0],
            _ => [255, 0, 0],
        };
        using var file = new MemoryStream();
        using (var write = new BinaryWriter(file))
        {
            write.Write("BM"u8);
            write.Write(54 + 24);
            write.Write(0);
            write.Write(54);
            write.Write(40);
            write.Write(3);
            write.Write(2);
            write.Write((short)1);
            write.Write((short)24);
            for (var field = 0; field < 6; field++)
            {
                write.Write(0);
            }

            for (var row = 0; row < 2; row++)
            {
                for (var column = 0; column < 3; column++)
                {
                    write.Write(pixel);
                }

                write.Write(new byte[3]);
            }
        }
        var path = _folder.File($"{colour}.bmp");
        File.WriteAllBytes(path, file.ToArray());
        return path;
    }
}
