using Microsoft.Extensions.Options;
using RenderFarm.Testing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;

namespace RenderFarm.Worker.Tests.Encoding;

/// <summary>One black second by the command lines of a job.</summary>
public sealed class EncoderTrialTests
{
    [Fact]
    public async Task Run_RealEncoder_MakesVideoAndPictures()
    {
        var result = await TryAsync("ffmpeg");

        Assert.Null(result.Refusal);
        Assert.Empty(result.MissingPictures);
    }

    [Theory]
    [InlineData("-crf")]
    [InlineData("-movflags")]
    [InlineData("-stats_period")]
    [InlineData("-map_metadata")]
    public async Task Run_EncoderLacksAnOptionOfVideos_NamesIt(string option)
    {
        using var encoder = new PickyEncoder(option).Refuse();

        var result = await TryAsync(encoder.Path);

        Assert.Contains($"Unrecognized option '{option[1..]}'", result.Refusal, StringComparison.Ordinal);
    }

    /// <summary>Options of a codec are looked at when the first frame comes, long after the command line was taken.</summary>
    [Fact]
    public async Task Run_EncoderWithoutTheCodec_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var result = await TryAsync(Script(folder, """exec ffmpeg "${@/libx264/libx264-of-another-build}" """));

        Assert.Contains("libx264-of-another-build", result.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_EncoderLacksAnOptionOfPictures_MakesVideosWithoutThem()
    {
        using var encoder = new PickyEncoder("-quality").Refuse();

        var result = await TryAsync(encoder.Path);

        Assert.Null(result.Refusal);
        Assert.Equal(2, result.MissingPictures.Count);
        Assert.All(result.MissingPictures, missing => Assert.Contains("'quality'", missing, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_EncoderLeavesAtOnceAndContent_IsRefusedForTheFramesThatAreMissing()
    {
        using var folder = new TemporaryFolder();

        var result = await TryAsync(Script(folder, "exit 0"));

        Assert.Equal("ffmpeg wrote 0 of the 17 frames of one black second", result.Refusal);
    }

    [Fact]
    public async Task Run_DiskFull_SaysNothingOfTheEncoder()
    {
        using var folder = new TemporaryFolder();

        var result = await TryAsync(Script(folder, "echo 'No space left on device' >&2; exit 228"));

        Assert.Null(result.Refusal);
    }

    [Fact]
    public async Task Run_NoProgram_SaysSoWithTheRemedy()
    {
        var result = await TryAsync("/nowhere/ffmpeg");

        Assert.Contains("apt-get install ffmpeg", result.Refusal, StringComparison.Ordinal);
    }

    private static string Script(TemporaryFolder folder, string body)
    {
        var path = folder.File("ffmpeg");
        File.WriteAllText(path, $"#!/bin/bash\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static Task<EncoderTrialResult> TryAsync(string ffmpeg) =>
        new EncoderTrial(Options.Create(new WorkerOptions { FfmpegPath = ffmpeg }), TimeProvider.System).RunAsync(
            TestContext.Current.CancellationToken
        );
}
