using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Encoding;

public sealed class VideoEncoderTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder = new();

    private static RenderPlan Plan =>
        new()
        {
            Device = "cpu",
            Precision = Precision.Fp8Weights,
            BlocksResident = 1,
            BlocksStreamed = 0,
            PredictedPeakBytes = 1,
            Fits = true,
        };

    [Fact]
    public async Task Encode_Frames_MakesAnMp4ThatPlayersUnderstand()
    {
        var video = await EncodeAsync(WorkerUnderTest.Spec with { Width = 48, Height = 32, Frames = 9, Fps = 16 });

        var stream = (await ProbeAsync(video)).GetProperty("streams")[0];
        Assert.Equal(
            ("h264", "yuv420p", 48, 32, "16/1", "9"),
            (
                Text("codec_name"),
                Text("pix_fmt"),
                stream.GetProperty("width").GetInt32(),
                stream.GetProperty("height").GetInt32(),
                Text("r_frame_rate"),
                Text("nb_read_frames")
            )
        );
        Assert.Equal(
            ("bt709", "bt709", "bt709", "tv"),
            (Text("color_space"), Text("color_primaries"), Text("color_transfer"), Text("color_range"))
        );

        var bytes = await File.ReadAllBytesAsync(video, TestContext.Current.CancellationToken);
        Assert.True(
            bytes.AsSpan().IndexOf("moov"u8) < bytes.AsSpan().IndexOf("mdat"u8),
            "the index must come first, so that playing starts before the download ends"
        );
        string? Text(string name) => stream.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Encode_Metadata_SaysHowToRenderItAgain()
    {
        var spec = WorkerUnderTest.Spec with { Loras = [new LoraReference("film", 0.5)] };

        var tags = (await ProbeAsync(await EncodeAsync(spec))).GetProperty("format").GetProperty("tags");

        Assert.Equal("a red ball rolls; to = the \"right\" #1 \\ ends here", tags.GetProperty("title").GetString());
        using var comment = JsonDocument.Parse(tags.GetProperty("comment").GetString()!);
        Assert.Equal(42, comment.RootElement.GetProperty("seed").GetInt64());
        Assert.Equal(("tiny", "32x32", "fp8-weights"), (Word("model"), Word("size"), Word("precision")));
        Assert.Equal("film:0.5", comment.RootElement.GetProperty("loras")[0].GetString());
        string? Word(string name) => comment.RootElement.GetProperty(name).GetString();
    }

    [Theory]
    [InlineData("cafe\u0301 \U0001F3A5 日本語")]
    [InlineData("-i /etc/passwd\0\u001b[2J\u0007 | rm")]
    [InlineData("[section]\ntitle=other\n;comment")]
    public async Task Encode_AwkwardPrompt_StaysATitle(string prompt)
    {
        var tags = (await ProbeAsync(await EncodeAsync(WorkerUnderTest.Spec with { Prompt = prompt })))
            .GetProperty("format")
            .GetProperty("tags");

        var expected = string.Concat(prompt.Replace('\n', ' ').EnumerateRunes().Where(r => !Rune.IsControl(r)));
        Assert.Equal(expected, tags.GetProperty("title").GetString());
    }

    [Fact]
    public async Task Encode_LongestPrompt_IsKeptWholeInTheComment()
    {
        var prompt = string.Concat(Enumerable.Repeat("ä日\"\\;=#x", 4_000));

        var tags = (await ProbeAsync(await EncodeAsync(WorkerUnderTest.Spec with { Prompt = prompt })))
            .GetProperty("format")
            .GetProperty("tags");

        using var comment = JsonDocument.Parse(tags.GetProperty("comment").GetString()!);
        Assert.Equal(prompt, comment.RootElement.GetProperty("prompt").GetString());
    }

    [Fact]
    public async Task Encode_NobodyWrites_EndsWhenTheWorkerLetsGo()
    {
        using var pipe = FramePipe.Create(_folder.File("frames.fifo"));
        using var encoder = VideoEncoder.Start("ffmpeg", _folder.Path, WorkerUnderTest.Spec, Plan, pipe);

        pipe.CloseWriter();
        var ending = await encoder.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(0, ending.Frames);
    }

    [Fact]
    public async Task Encode_EncoderKilled_BreaksTheWritersPipe()
    {
        var spec = WorkerUnderTest.Spec;
        using var pipe = FramePipe.Create(_folder.File("frames.fifo"));
        using var encoder = VideoEncoder.Start("ffmpeg", _folder.Path, spec, Plan, pipe);
        await using var writer = new FileStream(pipe.Path, FileMode.Open, FileAccess.Write);
        await writer.WriteAsync(new byte[spec.Width * spec.Height * 3], TestContext.Current.CancellationToken);

        encoder.Kill();
        var ending = await encoder.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(FailureReason.EncoderFailed, ending.Fault!.Reason);
        await Assert.ThrowsAsync<IOException>(async () =>
            await writer.WriteAsync(new byte[1 << 20], TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public void Start_NoFfmpeg_NamesTheProgram()
    {
        using var pipe = FramePipe.Create(_folder.File("frames.fifo"));

        var fault = Assert.Throws<FileNotFoundException>(() =>
            VideoEncoder.Start("/nowhere/ffmpeg", _folder.Path, WorkerUnderTest.Spec, Plan, pipe)
        );

        Assert.Equal("/nowhere/ffmpeg", fault.FileName);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(81)]
    public async Task Pictures_AnyLength_AreCut(int frames)
    {
        var spec = WorkerUnderTest.Spec with { Frames = frames };
        var video = await EncodeAsync(spec);
        List<string> complaints = [];

        var pictures = await VideoPictures.CutAsync(
            "ffmpeg",
            spec,
            video,
            TimeProvider.System,
            complaints.Add,
            TestContext.Current.CancellationToken
        );

        Assert.Empty(complaints);
        Assert.Equal([ArtifactKind.Thumbnail, ArtifactKind.Spritesheet], pictures.Select(p => p.Kind));
        Assert.All(pictures, p => Assert.Equal("WEBP"u8.ToArray(), File.ReadAllBytes(p.Path)[8..12]));
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string> EncodeAsync(RenderSpec spec)
    {
        using var pipe = FramePipe.Create(_folder.File("frames.fifo"));
        using var encoder = VideoEncoder.Start("ffmpeg", _folder.Path, spec, Plan, pipe);
        var frame = new byte[spec.Width * spec.Height * 3];
        var writer = new FileStream(pipe.Path, FileMode.Open, FileAccess.Write);
        await using (writer)
        {
            for (var i = 0; i < spec.Frames; i++)
            {
                Array.Fill(frame, (byte)(i * 3));
                await writer.WriteAsync(frame, TestContext.Current.CancellationToken);
            }
        }

        pipe.CloseWriter();
        var ending = await encoder.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(new EncoderEnding(spec.Frames, null), ending);
        Assert.False(File.Exists(_folder.File("video.mp4")), "before Publish there must be no file of the final name");
        return encoder.Publish();
    }

    private static async Task<JsonElement> ProbeAsync(string video)
    {
        (var code, var output, var errors) = await Processes.RunAsync(
            "ffprobe",
            "-v",
            "error",
            "-count_frames",
            "-show_streams",
            "-show_format",
            "-of",
            "json",
            video
        );
        Assert.True(code == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }
}
