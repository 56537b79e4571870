using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Tests.Videos;

public sealed class VideoRequestReaderTests
{
    [Fact]
    public void Read_EveryField_IsTyped()
    {
        var request = Read(
            """
            {
              "prompt": "a ball", "model": "demo", "seconds": "2.5", "size": "256x160", "negative_prompt": "", "seed": 7, "steps": 4,
              "guidance_scale": 3.5, "shift": 5, "sampler": "dpm++", "preset": "4-step", "step_cache": {"kind": "teacache",
               "threshold": 0.1}, "frames": 17, "fps": 8, "loras": [{"name": "soft", "strength": 0.5}, {"name": "b"}],
              "priority": 80, "quality": "exact", "webhook_url": "https://example.org/hook", "metadata": {"a": "b"}, "expires_after": 3600,
              "plan": {"precision": "fp8-weights", "blocks_streamed": 10, "text_encoder": "streamed", "guidance_batched": false},
              "debug": {"cuda_launch_blocking": true}, "max_attempts": 5, "input_reference": {"image_url": "https://example.org/a.png"}
            }
            """
        );

        Assert.Equal(
            (2.5, new FrameSize(256, 160), "", 7L, 4),
            (request.Seconds, request.Size, request.NegativePrompt, request.Seed, request.Steps)
        );
        Assert.Equal(
            (Sampler.DpmPlusPlus, 17, 8, 80, 5),
            (request.Sampler, request.Frames, request.Fps, request.Priority, request.MaxAttempts)
        );
        Assert.Equal([("soft", 0.5), ("b", 1.0)], request.Loras.Select(lora => (lora.Name, lora.Strength)));
        Assert.Equal(
            new PlanPins
            {
                Precision = Precision.Fp8Weights,
                BlocksStreamed = 10,
                TextEncoder = TextEncoderPlacement.Streamed,
                GuidanceBatched = false,
            },
            request.Plan
        );
        Assert.Equal(("4-step", new StepCacheChoice(StepCacheKind.Teacache, 0.1)), (request.Preset, request.StepCache));
        Assert.Equal(Quality.Exact, request.Quality);
        Assert.True(request.Debug!.CudaLaunchBlocking);
        Assert.Equal(TimeSpan.FromHours(1), request.ExpiresAfter);
        Assert.Equal("b", request.Metadata["a"]);
    }

    [Fact]
    public void Read_TextOfAMultipartBody_MeansTheSame()
    {
        var tree = new BracketTree();
        foreach (
            var (name, value) in new[]
            {
                ("prompt", "a ball"),
                ("seed", "7"),
                ("steps", "4"),
                ("loras[][name]", "soft"),
                ("plan[blocks_streamed]", "10"),
                ("metadata", """{"a":"b"}"""),
            }
        )
        {
            tree.Add(name, value);
        }

        var fromParts = VideoRequestReader.Read(new RequestBody(tree.ToJson(), []));
        var fromJson = Read(
            """{"prompt":"a ball","seed":7,"steps":4,"loras":[{"name":"soft"}],"plan":{"blocks_streamed":10},"metadata":{"a":"b"}}"""
        );

        Assert.Equal(RequestDigest.Of("x", fromJson), RequestDigest.Of("x", fromParts));
    }

    [Theory]
    [InlineData("""{}""", "prompt", "required")]
    [InlineData("""{"prompt":""}""", "prompt", "empty")]
    [InlineData("""{"prompt":" \n "}""", "prompt", "empty")]
    [InlineData("""{"prompt":5}""", "prompt", "string")]
    [InlineData("""{"prompt":"a","size":"640"}""", "size", "WIDTHxHEIGHT")]
    [InlineData("""{"prompt":"a","size":"99999999999x1"}""", "size", "WIDTHxHEIGHT")]
    [InlineData("""{"prompt":"a","size":"-16x16"}""", "size", "WIDTHxHEIGHT")]
    [InlineData("""{"prompt":"a","frames":80}""", "frames", "nearest are 77 and 81")]
    [InlineData("""{"prompt":"a","frames":261}""", "frames", "from 1 to 257")]
    [InlineData("""{"prompt":"a","frames":0}""", "frames", "from 1 to 257")]
    [InlineData("""{"prompt":"a","frames":"many"}""", "frames", "whole number")]
    [InlineData("""{"prompt":"a","steps":1.5}""", "steps", "whole number")]
    [InlineData("""{"prompt":"a","steps":101}""", "steps", "from 1 to 100")]
    [InlineData("""{"prompt":"a","seconds":"0"}""", "seconds", "above 0")]
    [InlineData("""{"prompt":"a","seconds":0.0}""", "seconds", "above 0")]
    [InlineData("""{"prompt":"a","seed":1e40}""", "seed", "seed")]
    [InlineData("""{"prompt":"a","guidance_scale":"NaN"}""", "guidance_scale", "number")]
    [InlineData("""{"prompt":"a","guidance_scale":21}""", "guidance_scale", "from 0 to 20")]
    [InlineData("""{"prompt":"a","sampler":"ddim"}""", "sampler", "unipc, euler, dpm++")]
    [InlineData("""{"prompt":"a","priority":101}""", "priority", "from 0 to 100")]
    [InlineData("""{"prompt":"a","webhook_url":"file:///etc/passwd"}""", "webhook_url", "http")]
    [InlineData("""{"prompt":"a","metadata":{"a":1}}""", "metadata.a", "string")]
    [InlineData("""{"prompt":"a","loras":[{"strength":1}]}""", "loras[0].name", "required")]
    [InlineData("""{"prompt":"a","loras":"x"}""", "loras", "list")]
    [InlineData("""{"prompt":"a","loras":[{"name":"b"},{"name":"c"},{"name":"b","strength":2}]}""", "loras[2].name", "'b' once more")]
    [InlineData("""{"prompt":"a","plan":{"precision":"int4"}}""", "plan.precision", "fp8-weights")]
    [InlineData("""{"prompt":"a","plan":{"attention":"int8"}}""", "plan.attention", "eight-bit")]
    [InlineData("""{"prompt":"a","input_reference":{"image_url":"ftp://x/y"}}""", "input_reference.image_url", "data URL")]
    public void Read_AValueOutOfBounds_NamesFieldAndRemedy(string json, string param, string remedy)
    {
        var error = Assert.Throws<ApiErrorException>(() => Read(json)).Error;

        Assert.Equal((400, "invalid_value", param), (error.Status, error.Code, error.Param));
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prompt":"a","negative_promt":"b"}""", "negative_promt", "negative_prompt")]
    [InlineData("""{"prompt":"a","plan":{"blocks_stream":1}}""", "plan.blocks_stream", "blocks_streamed")]
    public void Read_AnUnknownKey_NamesTheNearestOne(string json, string param, string nearest)
    {
        var error = Assert.Throws<ApiErrorException>(() => Read(json)).Error;

        Assert.Equal(("unknown_parameter", param), (error.Code, error.Param));
        Assert.Contains($"'{nearest}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_APromptOf32000Characters_IsAccepted_AndOneMoreIsNot()
    {
        // An emoji is one character, though two UTF-16 units.
        Assert.Equal(VideoRequestReader.MaxPromptLength * 2, Read(Prompt(VideoRequestReader.MaxPromptLength)).Prompt.Length);
        var error = Assert.Throws<ApiErrorException>(() => Read(Prompt(VideoRequestReader.MaxPromptLength + 1))).Error;
        Assert.Contains("32001", error.Message, StringComparison.Ordinal);

        static string Prompt(int length) => new JsonObject { ["prompt"] = string.Concat(Enumerable.Repeat("😀", length)) }.ToJsonString();
    }

    private static VideoRequest Read(string json) => VideoRequestReader.Read(new RequestBody((JsonObject)JsonNode.Parse(json)!, []));
}
