using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>Files as people have them become models of a running farm; LoRAs, pictures and step caches change its videos.</summary>
public sealed class AnyCheckpoint(AnyCheckpoint.FarmOfManyModels many) : IClassFixture<AnyCheckpoint.FarmOfManyModels>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Scan_ComfyFolderWhileTheFarmRuns_IsRenderedFromWithItsLoras()
    {
        using var folder = new TemporaryFolder();
        var (farm, comfy) = (many.Farm, folder.File("comfy"));
        await ToolsAsync("models", "make-random", "tiny", folder.File("download"), "--seed", "1");
        foreach (
            var (from, to) in new[]
            {
                ("diffusion_pytorch_model.safetensors", "diffusion_models/wan_tiny_bf16.safetensors"),
                ("models_t5_umt5-xxl-enc-bf16.safetensors", "text_encoders/umt5_tiny.safetensors"),
                ("Wan2.1_VAE.safetensors", "vae/wan_2.1_vae.safetensors"),
                ("google/umt5-xxl/spiece.model", "text_encoders/spiece.model"),
            }
        )
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(comfy, to))!);
            File.Move(Path.Combine(folder.File("download"), from), Path.Combine(comfy, to));
        }
        WriteLora(Path.Combine(comfy, "loras", "film.safetensors"), width: 64);
        WriteLora(Path.Combine(comfy, "loras", "for-a-wider-model.safetensors"), width: 96);

        var said = await ToolsAsync("models", "scan", comfy, "--into", many.Models);
        Assert.Contains("LoRAs: film", said, StringComparison.Ordinal);
        await farm.EventuallyAsync(
            async () => (await farm.Http.GetStringAsync("/v1/models")).Contains("\"film\"", StringComparison.Ordinal),
            Patience,
            "the worker to notice the model"
        );

        var plain = await FramesAsync(farm, Small("tiny"));
        Assert.Equal(plain, await FramesAsync(farm, With(Small("tiny"), "loras", new[] { new { name = "film", strength = 0.0 } })));
        Assert.NotEqual(plain, await FramesAsync(farm, With(Small("tiny"), "loras", new[] { new { name = "film", strength = 0.8 } })));
        using var refused = await farm.PostAsync(
            "/v1/videos",
            JsonContent.Create(With(Small("tiny"), "loras", new[] { new { name = "for-a-wider-model" } }))
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("film", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tiny-i2v", false)]
    [InlineData("tiny-flf2v", true)]
    [InlineData("tiny-ti2v", false)]
    public async Task Submit_Pictures_FollowsThemInTheirProportions(string model, bool last)
    {
        Dictionary<string, object> Request(byte red, byte blue)
        {
            var request = With(Small(model), "input_reference", new { image_url = Picture(red, green: 0, blue) });
            request.Remove("size");
            if (last)
            {
                request["last_frame"] = new { image_url = Picture(0, 255, 0) };
            }

            return request;
        }

        var (one, video) = await RenderAsync(many.Farm, Request(255, 0));
        var size = video
            .GetProperty("size")
            .GetString()!
            .Split('x')
            .Select(side => int.Parse(side, System.Globalization.CultureInfo.InvariantCulture))
            .ToArray();

        Assert.True(size[0] < size[1], $"a portrait became {size[0]} x {size[1]}");
        Assert.NotEqual(one, await FramesAsync(many.Farm, Request(0, 255)));
    }

    [Theory]
    [InlineData("magcache")]
    [InlineData("teacache")]
    public async Task Submit_StepCache_LeavesForwardsOutAndSaysHowMany(string kind)
    {
        var request = With(Small("t2v-14b"), "steps", 8);

        var (whole, _) = await RenderAsync(many.Farm, request);
        var (cached, video) = await RenderAsync(many.Farm, With(request, "step_cache", new { kind, threshold = 10.0 }));

        Assert.NotEqual(whole, cached);
        Assert.Contains("the step cache left out the blocks of ", video.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("blocks of 0 of", video.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.True(video.GetProperty("plan").GetProperty("step_cache_bytes").GetInt64() > 0);
    }

    private static Dictionary<string, object> Small(string model)
    {
        var request = Requests.Quick();
        (request["model"], request["frames"], request["steps"]) = (model, 5, 2);
        return request;
    }

    private static Dictionary<string, object> With(Dictionary<string, object> request, string field, object value) =>
        new(request) { [field] = value };

    private static async Task<byte[]> FramesAsync(FarmUnderTest farm, object request) => (await RenderAsync(farm, request)).Frames;

    /// <summary>The coded frames, and the video as the farm tells of it.</summary>
    private static async Task<(byte[] Frames, JsonElement Video)> RenderAsync(FarmUnderTest farm, object request)
    {
        var id = (await farm.SubmitAsync(request)).GetProperty("id").GetString()!;
        var video = await farm.CompletedAsync(id, Patience);
        var mp4 = await farm.Http.GetByteArrayAsync($"/v1/videos/{id}/content");
        return (mp4[mp4.AsSpan().IndexOf("mdat"u8)..], video);
    }

    private static async Task<string> ToolsAsync(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(BuiltPrograms.Tools, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {await output}{errors}");
        return await output;
    }

    /// <summary>A portrait of one colour, 20 × 30 pixels.</summary>
    private static string Picture(byte red, byte green, byte blue)
    {
        const int Width = 20;
        const int Height = 30;
        using var file = new MemoryStream();
        using (var write = new BinaryWriter(file, Encoding.ASCII, leaveOpen: true))
        {
            write.Write("BM"u8);
            foreach (var field in (int[])[54 + (Width * Height * 3), 0, 54, 40, Width, Height])
            {
                write.Write(field);
            }

            write.Write((short)1);
            write.Write((short)24);
            for (var field = 0; field < 6; field++)
            {
                write.Write(0);
            }

            for (var pixel = 0; pixel < Width * Height; pixel++)
            {
                write.Write([blue, green, red]);
            }
        }
        return $"data:image/bmp;base64,{Convert.ToBase64String(file.ToArray())}";
    }

    /// <summary>A LoRA of rank 2 on the queries of two blocks, all halves.</summary>
    private static void WriteLora(string path, int width)
    {
        var header = new JsonObject();
        var at = 0;
        for (var block = 0; block < 2; block++)
        {
            foreach (var (part, shape) in new[] { ("lora_A", new[] { 2, width }), ("lora_B", [width, 2]) })
            {
                var bytes = 2 * width * sizeof(float);
                header[$"diffusion_model.blocks.{block}.self_attn.q.{part}.weight"] = new JsonObject
                {
                    ["dtype"] = "F32",
                    ["shape"] = new JsonArray(shape[0], shape[1]),
                    ["data_offsets"] = new JsonArray(at, at += bytes),
                };
            }
        }

        var json = Encoding.UTF8.GetBytes(header.ToJsonString());
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new BinaryWriter(File.Create(path));
        file.Write((long)json.Length);
        file.Write(json);
        for (var value = 0; value < at / sizeof(float); value++)
        {
            file.Write(0.5f);
        }
    }

    /// <summary>One farm for the whole story, with a small random model of every kind that takes pictures.</summary>
    public sealed class FarmOfManyModels : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public FarmUnderTest Farm { get; private set; } = null!;
        public string Models => _folder.Path;

        public async ValueTask InitializeAsync()
        {
            foreach (var model in new[] { "tiny-i2v", "tiny-flf2v", "tiny-ti2v", "tiny" })
            {
                await ToolsAsync("models", "make-random", model, Path.Combine(Models, model), "--seed", "1");
            }
            // Under the name of one that figures of step caches were published for
            var path = Path.Combine(Models, "tiny", "model.json");
            var manifest = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
            manifest["shape"]!["id"] = "t2v-14b";
            await File.WriteAllTextAsync(path, manifest.ToJsonString());
            Directory.Move(Path.GetDirectoryName(path)!, Path.Combine(Models, "t2v-14b"));
            Farm = await FarmUnderTest.StartAsync(
                new FarmSetup
                {
                    More = new Dictionary<string, string> { ["Models__Directory"] = Models, ["Videos__DefaultModel"] = "tiny-ti2v" },
                }
            );
        }

        public async ValueTask DisposeAsync()
        {
            await Farm.DisposeAsync();
            _folder.Dispose();
        }
    }
}
