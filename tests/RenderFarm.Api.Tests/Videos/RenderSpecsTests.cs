using RenderFarm.Api.Errors;
using RenderFarm.Api.Inputs;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;

namespace RenderFarm.Api.Tests.Videos;

public sealed class RenderSpecsTests
{
    private static readonly VideoRequest Silent = new() { Prompt = "a ball" };

    [Fact]
    public void Complete_ASilentRequest_TakesTheModelsDefaults()
    {
        var spec = RenderSpecs.Complete(Silent, ModelShapes.T2v1Point3B, seed: 42);

        Assert.Equal(
            (832, 480, 81, 16, 50, 5.0, 42L),
            (spec.Width, spec.Height, spec.Frames, spec.Fps, spec.Steps, spec.GuidanceScale, spec.Seed)
        );
        Assert.Equal(ModelShapes.T2v1Point3B.Defaults.NegativePrompt, spec.NegativePrompt);
    }

    [Fact]
    public void Complete_TwoExperts_EachGetsItsOwnScaleUnlessTheRequestNamesOne()
    {
        var silent = RenderSpecs.Complete(Silent, ModelShapes.T2vA14B, 0);
        var named = RenderSpecs.Complete(Silent with { GuidanceScale = 6 }, ModelShapes.T2vA14B, 0);

        Assert.Equal((3.0, (double?)4.0), (silent.GuidanceScale, silent.HighNoiseGuidanceScale));
        Assert.Equal((6.0, (double?)null), (named.GuidanceScale, named.HighNoiseGuidanceScale));
    }

    [Theory]
    [InlineData(null, Quality.Fast, Quality.Fast)]
    [InlineData(Quality.Exact, Quality.Fast, Quality.Exact)]
    public void Complete_Quality_IsTheRequestsElseTheFarms(Quality? asked, Quality farm, Quality expected) =>
        Assert.Equal(expected, RenderSpecs.Complete(Silent with { Quality = asked }, ModelShapes.T2v14B, 0, quality: farm).Quality);

    [Fact]
    public void Complete_Preset_FillsWhatTheRequestLeavesOpen()
    {
        var spec = RenderSpecs.Complete(Silent with { Preset = "4-step" }, ModelShapes.I2vA14B, 0);
        var ending = RenderSpecs.Complete(
            Silent with
            {
                Preset = "4-step",
                LastFrame = new InputReference("https://example.org/a.png", null),
            },
            ModelShapes.I2vA14B,
            0
        );
        var more = RenderSpecs.Complete(Silent with { Preset = "4-step", Steps = 6 }, ModelShapes.I2vA14B, 0);

        Assert.Equal(
            (4, 1.0, 5.0, Sampler.Distilled, (int?)2, (double?)null),
            (spec.Steps, spec.GuidanceScale, spec.Shift, spec.Sampler, spec.BoundaryStep, spec.HighNoiseGuidanceScale)
        );
        Assert.Equal(16.0, ending.Shift);
        Assert.Equal((6, (int?)null), (more.Steps, more.BoundaryStep));
    }

    [Theory]
    [InlineData("i2v-14b-720p", 1280, 720, 5)]
    [InlineData("i2v-14b-720p", 832, 480, 3)]
    [InlineData("i2v-14b-720p", 480, 832, 3)]
    [InlineData("i2v-14b-720p", 624, 624, 3)]
    [InlineData("i2v-14b-720p", 848, 480, 5)]
    [InlineData("i2v-14b-480p", 832, 480, 3)]
    [InlineData("t2v-14b", 832, 480, 5)]
    public void Complete_SilentOnShift_TakesThatOfTheSize(string model, int width, int height, double shift)
    {
        var spec = RenderSpecs.Complete(Silent with { Size = new FrameSize(width, height) }, ModelShapes.Get(model), 0);

        Assert.Equal(shift, spec.Shift);
    }

    [Fact]
    public void Complete_ShiftGiven_WinsOverThatOfTheSize()
    {
        var spec = RenderSpecs.Complete(Silent with { Size = new FrameSize(832, 480), Shift = 7 }, ModelShapes.I2v14B720, 0);

        Assert.Equal(7, spec.Shift);
    }

    [Fact]
    public void Complete_UnknownPreset_NamesThoseThereAre()
    {
        var error = Assert
            .Throws<ApiErrorException>(() => RenderSpecs.Complete(Silent with { Preset = "fast" }, ModelShapes.T2v14B, 0))
            .Error;

        Assert.Equal("preset", error.Param);
        Assert.Contains("4-step", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_AnEmptyNegativePrompt_MeansNone() =>
        Assert.Equal("", RenderSpecs.Complete(Silent with { NegativePrompt = "" }, ModelShapes.T2v1Point3B, 0).NegativePrompt);

    [Theory]
    [InlineData(5, 16, 81)]
    [InlineData(1, 16, 17)]
    [InlineData(0, 16, 1)]
    [InlineData(2.1, 24, 49)]
    public void Complete_Seconds_RoundToTheNearest4nPlus1(double seconds, int fps, int frames) =>
        Assert.Equal(frames, RenderSpecs.Complete(Silent with { Seconds = seconds, Fps = fps }, ModelShapes.T2v1Point3B, 0).Frames);

    [Fact]
    public void Complete_FramesAndSeconds_FramesWin() =>
        Assert.Equal(33, RenderSpecs.Complete(Silent with { Seconds = 5, Frames = 33 }, ModelShapes.T2v1Point3B, 0).Frames);

    [Fact]
    public void Complete_TooManySeconds_SaysHowManyThereMayBe()
    {
        var error = Refused(Silent with { Seconds = 60 });

        Assert.Equal("seconds", error.Param);
        Assert.Contains("16.06 seconds", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(830, 480, "832x480")]
    [InlineData(833, 481, "832x480")]
    [InlineData(8320, 4800, "832x480")]
    [InlineData(1, 1, "16x16")]
    public void Complete_ASizeThatCantBe_NamesTheNearestThatCan(int width, int height, string nearest)
    {
        var error = Refused(Silent with { Size = new FrameSize(width, height) });

        Assert.Equal(("invalid_value", "size"), (error.Code, error.Param));
        Assert.EndsWith($"is {nearest}.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(7, 2_000_000_000)]
    [InlineData(100_000, 3)]
    [InlineData(1297, 719)]
    public void Complete_AnAbsurdSize_NamesOneThatIsAccepted(int width, int height)
    {
        var named = Refused(Silent with { Size = new FrameSize(width, height) }).Message.Split(' ')[^1].TrimEnd('.').Split('x');
        var size = new FrameSize(int.Parse(named[0], null), int.Parse(named[1], null));

        Assert.Equal(size, new FrameSize(Complete(size).Width, Complete(size).Height));

        static Contracts.Videos.RenderSpec Complete(FrameSize size) =>
            RenderSpecs.Complete(Silent with { Size = size }, ModelShapes.T2v1Point3B, 0);
    }

    [Fact]
    public void Complete_Ti2v_WantsMultiplesOf32() =>
        Assert.Contains(
            "multiples of 32",
            Assert
                .Throws<ApiErrorException>(() =>
                    RenderSpecs.Complete(Silent with { Size = new FrameSize(1280, 720) }, ModelShapes.Ti2v5B, 0)
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Complete_TenPercentOverTheArea_IsStillAccepted() =>
        Assert.Equal(880, RenderSpecs.Complete(Silent with { Size = new FrameSize(880, 496) }, ModelShapes.T2v1Point3B, 0).Width);

    private static ApiError Refused(VideoRequest request) =>
        Assert.Throws<ApiErrorException>(() => RenderSpecs.Complete(request, ModelShapes.T2v1Point3B, 0)).Error;
}
