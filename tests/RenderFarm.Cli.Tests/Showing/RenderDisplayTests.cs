using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Videos;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Showing;

public sealed class RenderDisplayTests
{
    private static readonly Video Denoising = new()
    {
        Id = "video_1",
        Status = VideoStatus.InProgress,
        Stage = "denoising",
        Step = 3,
        Steps = 8,
        Progress = 37,
        EtaSeconds = 11.2,
        Attempt = 1,
    };

    [Fact]
    public void Describe_Denoising_SaysStageStepAndTimeLeft() =>
        Assert.Equal("denoising, step 3 of 8, about 12 s left", RenderDisplay.Describe(Denoising));

    [Fact]
    public void Describe_SecondAttempt_SaysSo() =>
        Assert.Contains("attempt 2", RenderDisplay.Describe(Denoising with { Attempt = 2 }), StringComparison.Ordinal);

    [Fact]
    public void Describe_Queued_SaysThePlaceInTheQueue() =>
        Assert.Equal(
            "queued, number 4 in the queue",
            RenderDisplay.Describe(
                new Video
                {
                    Id = "video_1",
                    Status = VideoStatus.Queued,
                    QueuePosition = 4,
                }
            )
        );

    [Theory]
    [InlineData(0.4, "1 s")]
    [InlineData(61, "61 s")]
    [InlineData(200, "4 min")]
    [InlineData(7200, "2.0 h")]
    public void Duration_Seconds_InTheUnitPeopleUse(double seconds, string words) =>
        Assert.Equal(words, RenderDisplay.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task RunAsync_NotATerminal_PrintsALineForEachChangeOnly()
    {
        using var console = new TestConsole();
        Video[] states =
        [
            Denoising,
            Denoising with { EtaSeconds = 10 },
            Denoising with
            {
                Step = 4,
                Progress = 48,
            },
            Denoising with
            {
                Status = VideoStatus.Completed,
                Stage = "done",
                Progress = 100,
            },
        ];

        await RenderDisplay.RunAsync(
            console,
            update =>
            {
                foreach (var state in states)
                {
                    update(state);
                }

                return Task.FromResult(states[^1]);
            }
        );

        Assert.Equal(
            [" 37 %  denoising, step 3 of 8, about 12 s left", " 48 %  denoising, step 4 of 8, about 12 s left", "100 %  done"],
            console.Lines
        );
    }
}
