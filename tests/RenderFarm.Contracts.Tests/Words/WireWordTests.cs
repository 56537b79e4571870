using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Tests.Words;

/// <summary>The words of the public interface, and of what is stored: none may ever change, whatever a member is called.</summary>
public sealed class WireWordTests
{
    public static TheoryData<string, string> Published =>
        new()
        {
            { Words<BatchState>(), "queued in_progress completed cancelled" },
            { Words<VideoStatus>(), "queued in_progress completed failed" },
            { Words<RenderStage>(), "queued loading encoding_text encoding_image denoising decoding encoding_video uploading done" },
            { Words<VideoEvent>(), "video.queued video.started video.completed video.failed video.cancelled video.expired" },
            { Words<VideoNotice>(), "video.progress video.preview" },
            { Words<WorkerStatus>(), "live draining gone stopped" },
            { Words<JobState>(), "queued leased rendering uploading completed cancelled failed expired" },
            {
                Words<FailureReason>(),
                "cancelled gpu_out_of_memory gpu_lost host_out_of_memory invalid_output model_unavailable checkpoint_invalid worker_lost "
                    + "renderer_crashed renderer_timeout encoder_failed disk_full invalid_request plan_does_not_fit transient"
            },
            { Words<ReleaseReason>(), "interrupted draining slot_fault" },
            { Words<Sampler>(), "unipc euler dpm++ distilled" },
            { Words<Precision>(), "fp32 bf16 fp8-weights fp8 int8-weights int8" },
            { Words<AttentionPrecision>(), "full eight-bit" },
            { Words<TextEncoderPlacement>(), "cpu streamed resident" },
            { Words<StepCacheKind>(), "teacache magcache" },
            { Words<ArtifactKind>(), "video thumbnail spritesheet" },
            { Words<SlotKind>(), "cpu cuda" },
            { Words<HostCheckResult>(), "ok without lacks" },
            { Words<ImageBranch>(), "none clip clip_first_last" },
            { Words<PictureConditioning>(), "none channels first_latent_frame" },
            { Words<VaeKind>(), "wan21 wan22" },
        };

    [Theory]
    [MemberData(nameof(Published))]
    public void Words_OfTheWire_AreThoseThatArePublished(string words, string published) => Assert.Equal(published, words);

    [Fact]
    public void Json_OfASpec_SpellsItsWords()
    {
        var spec = new RenderSpec
        {
            Model = "demo",
            Prompt = "a ball",
            Width = 64,
            Height = 48,
            Frames = 5,
            Fps = 8,
            Steps = 2,
            GuidanceScale = 1,
            Shift = 3,
            Sampler = Sampler.DpmPlusPlus,
            Seed = 7,
            StepCache = new StepCacheChoice(StepCacheKind.Teacache),
            Plan = new PlanPins { Precision = Precision.Fp8Weights, TextEncoder = TextEncoderPlacement.Streamed },
        };

        var json = JsonSerializer.Serialize(spec, ContractsJson.Default.RenderSpec);

        // Kept in the jobs table: what an older version wrote is read by a newer one, and the other way round.
        Assert.Equal(
            """
            {"model":"demo","prompt":"a ball","negative_prompt":"","width":64,"height":48,"frames":5,"fps":8,"steps":2,
            "guidance_scale":1,"shift":3,"sampler":"dpm\u002B\u002B","seed":7,"loras":[],"step_cache":{"kind":"teacache"},
            "quality":"balanced","plan":{"precision":"fp8-weights","text_encoder":"streamed"}}
            """.ReplaceLineEndings(""),
            json
        );
        Assert.Equal(
            json,
            JsonSerializer.Serialize(JsonSerializer.Deserialize(json, ContractsJson.Default.RenderSpec)!, ContractsJson.Default.RenderSpec)
        );
    }

    [Theory]
    [InlineData(
        """{"fence":1,"reason":"interupted"}""",
        "is 'interupted', not one of: interrupted, draining, slot_fault; the nearest is 'interrupted'"
    )]
    [InlineData("""{"fence":1,"reason":1}""", "is no word; it must be one of: interrupted, draining, slot_fault")]
    [InlineData(
        """{"fence":1,"reason":"Draining"}""",
        "is 'Draining', not one of: interrupted, draining, slot_fault; the nearest is 'draining'"
    )]
    public void Json_AWordThatIsNone_IsRefusedWithThoseThereAre(string json, string why)
    {
        var refused = Assert.Throws<UnknownWordException>(() => JsonSerializer.Deserialize(json, ContractsJson.Default.ReleaseRequest));

        Assert.Equal((why, "$.reason " + why), (refused.Why, refused.Message));
    }

    private static string Words<TEnum>()
        where TEnum : struct, Enum => string.Join(' ', Word.All<TEnum>());
}
