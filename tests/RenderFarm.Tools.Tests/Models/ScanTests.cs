using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Renderer.Tests;
using RenderFarm.Testing;
using RenderFarm.Testing.Checkpoints;
using RenderFarm.Verbs.Parsing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Tests.Models;

/// <summary><c>models scan</c> on folders as people have them, and renders from what it registers.</summary>
public sealed class ScanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Scan_ComfyFolder_MakesAModelThatRenders()
    {
        using var model = new RandomTinyModel();
        var manifest = model.Manifest;
        string From(string name) => Path.Combine(model.Folder, name);
        // Plain names and bf16 but for the folder, the prefixes, and the tokenizer that lies inside the text encoder
        Copy(From(manifest.Files.Transformer[0]), "diffusion_models/wan_tiny.safetensors", name => "model.diffusion_model." + name);
        Copy(
            From(manifest.Files.TextEncoder[0]),
            "text_encoders/umt5_tiny.safetensors",
            TransformersUmt5,
            extra: ("spiece_model", tensor(File.ReadAllBytes(From(manifest.Files.Tokenizer))))
        );
        Copy(From(manifest.Files.Vae[0]), "vae/wan_2.1_vae.safetensors", name => name);
        File.WriteAllText(_folder.File("vae/notes.safetensors"), "not a checkpoint");

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.True(code == 0, output);
        Assert.Contains("notes.safetensors", output, StringComparison.Ordinal);
        var found = Manifest("tiny");
        Assert.Equal(0, (await RunAsync("models", "verify", _folder.File("registry/tiny"))).Code);
        Assert.Equal(
            await RenderAsync(model.Order(_folder.File("frames"))),
            await RenderAsync(model.Order(_folder.File("frames")) with { Files = found.Files })
        );
    }

    [Fact]
    public async Task Scan_ScaledEightBitFile_IsCastUpByItsScales()
    {
        using var model = new RandomTinyModel();
        string From(string name) => Path.Combine(model.Folder, name);
        var files = model.Manifest.Files;
        Copy(
            From(files.Transformer[0]),
            "tiny_fp8_scaled.safetensors",
            name => "diffusion_model." + name,
            quantise: true,
            extra: ("diffusion_model.scaled_fp8", zeros(0, dtype: ScalarType.Float32).to(Float8.Type))
        );
        foreach (var name in (string[])[files.TextEncoder[0], files.Vae[0], files.Tokenizer])
        {
            Place(From(name), Path.GetFileName(name));
        }

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.True(code == 0, output);
        Assert.Contains("fp8_scaled", output, StringComparison.Ordinal);
        var exact = await RenderAsync(model.Order(_folder.File("frames"), steps: 1));
        var rounded = await RenderAsync(model.Order(_folder.File("frames"), steps: 1) with { Files = Manifest("tiny").Files });
        var apart = exact.Zip(rounded).Average(pair => Math.Abs(pair.First - pair.Second));
        Assert.True(apart is > 0 and < 12, $"{apart} levels apart: without the scales nothing would be alike");
    }

    [Fact]
    public async Task Scan_GgufFilesWithTheTokenizerInside_MakeAModelThatRenders()
    {
        using var model = new RandomTinyModel();
        string From(string name) => Path.Combine(model.Folder, name);
        var files = model.Manifest.Files;
        var tokenizer = SentencePieceModelReader.Read(From(files.Tokenizer));
        Pack(From(files.Transformer[0]), "unet/wan-tiny-Q8_0.gguf", name => name, new GgufWriter().With("general.architecture", "wan"));
        Pack(
            From(files.TextEncoder[0]),
            "clip/umt5-tiny-encoder-Q8_0.gguf",
            GgufUmt5,
            new GgufWriter()
                .With("general.architecture", "t5encoder")
                .With("tokenizer.ggml.model", "t5")
                .With("tokenizer.ggml.tokens", [.. tokenizer.Pieces.Select(piece => piece.Text)])
                .With("tokenizer.ggml.scores", [.. tokenizer.Pieces.Select(piece => piece.Score)])
                .With("tokenizer.ggml.token_type", (int[])[.. tokenizer.Pieces.Select(piece => (int)piece.Type)])
                .With("tokenizer.ggml.eos_token_id", (uint)tokenizer.EndId)
                .With("tokenizer.ggml.add_space_prefix", true)
        );
        Place(From(files.Vae[0]), "vae/wan_2.1_vae.safetensors");

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.True(code == 0, output);
        Assert.Contains("GGUF Q8_0", output, StringComparison.Ordinal);
        Assert.Contains("inside the checkpoint", output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("models", "verify", _folder.File("registry/tiny"))).Code);
        var exact = await RenderAsync(model.Order(_folder.File("frames"), steps: 1));
        var packed = await RenderAsync(model.Order(_folder.File("frames"), steps: 1) with { Files = Manifest("tiny").Files });
        var apart = exact.Zip(packed).Average(pair => Math.Abs(pair.First - pair.Second));
        Assert.True(apart is > 0 and < 4, $"{apart} levels apart");
    }

    [Fact]
    public async Task Scan_DiffusersFolderOfTwoExperts_RendersTheSameFrames()
    {
        var shape = TinyShapes.TwoExperts;
        using var model = new RandomTinyModel(shape);
        string From(string name) => Path.Combine(model.Folder, name);
        var files = model.Manifest.Files;
        foreach (var (expert, to) in new[] { (files.Transformer[0], "transformer"), (files.TransformerLowNoise[0], "transformer_2") })
        {
            for (var shard = 1; shard <= 2; shard++)
            {
                var odd = shard % 2;
                Copy(
                    From(expert),
                    $"wan/{to}/diffusion_pytorch_model-0000{shard}-of-00002.safetensors",
                    Diffusers,
                    keep: key => key.Length % 2 == odd
                );
            }
        }

        Copy(From(files.TextEncoder[0]), "wan/text_encoder/model.safetensors", TransformersUmt5);
        Place(From(files.Vae[0]), "wan/vae/diffusion_pytorch_model.safetensors");
        Place(From(files.Tokenizer), "wan/tokenizer/spiece.model");

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.True(code == 0, output);
        var found = Manifest(shape.Id).Files;
        Assert.Equal((2, 2), (found.Transformer.Count, found.TransformerLowNoise.Count));
        Assert.All(found.TransformerLowNoise, file => Assert.Contains("transformer_2", file, StringComparison.Ordinal));
        var order = model.Order(_folder.File("frames"), steps: 3, width: 32, height: 32);
        Assert.Equal(await RenderAsync(order), await RenderAsync(order with { Files = found }));
    }

    [Fact]
    public async Task Scan_TwoExpertsWithoutVae_SaysWhatIsMissingAndWhichIsWhich()
    {
        RandomModel.Write(TinyShapes.TwoExperts, _folder.File("download"), seed: 1, _ => { });
        File.Delete(Directory.GetFiles(_folder.File("download"), "*VAE*").Single());

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.Equal(VerbProgram.Failed, code);
        Assert.Contains("high noise", output, StringComparison.Ordinal);
        Assert.Contains("low noise", output, StringComparison.Ordinal);
        Assert.Contains("needs the VAE (Wan2.1_VAE.pth", output, StringComparison.Ordinal);
        Assert.DoesNotContain("high-noise expert (", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("registry")));
    }

    [Fact]
    public async Task Scan_TwoExpertsAndTheirLoras_PairsBothByName()
    {
        RandomModel.Write(TinyShapes.TwoExperts, _folder.File("download"), seed: 1, _ => { });
        WriteLora("loras/film_high_noise.safetensors");
        WriteLora("loras/film_low_noise.safetensors");
        WriteLora("loras/grain.safetensors");

        var (code, output) = await RunAsync("models", "scan", _folder.Path, "--into", _folder.File("registry"));

        Assert.True(code == 0, output);
        var files = Manifest("tiny-t2v-experts").Files;
        Assert.Contains("high_noise_model", files.Transformer[0], StringComparison.Ordinal);
        Assert.Contains("low_noise_model", files.TransformerLowNoise[0], StringComparison.Ordinal);
        Assert.Equal(["film", "grain"], files.Loras.Keys.Order());
        Assert.Equal(["film", "grain"], files.LorasLowNoise.Keys.Order());
        Assert.Contains("film_low", files.LorasLowNoise["film"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scan_Lora_SaysWhatItIsAndWhatItsTrainerWrote()
    {
        WriteLora(
            "film.safetensors",
            new()
            {
                ["ss_network_alpha"] = "16",
                ["ss_base_model_version"] = "wan2.1-t2v-14b",
                ["modelspec.trigger_phrase"] = "grainy film, 8mm",
            }
        );

        var (_, output) = await RunAsync("models", "scan", _folder.Path);

        Assert.Contains(
            "LoRA, rank 2, alpha: ss_network_alpha, trained on wan2.1-t2v-14b, trigger words: grainy film, 8mm",
            output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Scan_ShardMissing_NamesItsNumber()
    {
        RandomModel.Write(ModelShapes.Tiny, _folder.File("download"), seed: 1, _ => { }, shardBytes: 40_000);
        File.Delete(Directory.GetFiles(_folder.File("download"), "*-00002-of-*").Single());

        var (code, output) = await RunAsync("models", "scan", _folder.Path);

        Assert.Equal(VerbProgram.Failed, code);
        Assert.Contains("number 2 of it is missing", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scan_NoFolder_SaysSo() =>
        Assert.Equal(VerbProgram.Wrong, (await RunAsync("models", "scan", _folder.File("nowhere"))).Code);

    public void Dispose() => _folder.Dispose();

    private ModelManifest Manifest(string id) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(_folder.File($"registry/{id}/model.json")), ContractsJson.Default.ModelManifest)!;

    private void Place(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(to))!);
        File.Copy(from, _folder.File(to));
    }

    private void Copy(
        string from,
        string to,
        Func<string, string> name,
        bool quantise = false,
        (string Name, Tensor Values)? extra = null,
        Func<string, bool>? keep = null
    )
    {
        using var scope = NewDisposeScope();
        using var source = SafetensorsFile.Open(from);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var key in source.Entries.Keys.Where(key => keep?.Invoke(key) ?? true))
        {
            var values = source.Load(key);
            if (quantise && key.StartsWith("blocks.", StringComparison.Ordinal) && values.dim() == 2)
            {
                var scale = values.to(ScalarType.Float32).abs().max() / Float8.Max;
                tensors[name(key[..^".weight".Length]) + ".scale_weight"] = scale;
                values = (values.to(ScalarType.Float32) / scale).clamp(-Float8.Max, Float8.Max).to(Float8.Type);
            }
            tensors[name(key)] = values;
        }
        if (extra is { } more)
        {
            tensors[more.Name] = more.Values;
        }

        Save(to, tensors);
    }

    /// <summary>Matrices in Q8_0 where their rows allow it, the rest in float32.</summary>
    private void Pack(string from, string to, Func<string, string> name, GgufWriter writer)
    {
        const int Block = 32;
        using var scope = NewDisposeScope();
        using var source = SafetensorsFile.Open(from);
        foreach (var entry in source.Entries.Values)
        {
            var values = source.Load(entry.Name).to(ScalarType.Float32).data<float>().ToArray();
            var packs = entry.Shape.Count == 2 && entry.Shape[1] % Block == 0;
            writer.Tensor(
                name(entry.Name),
                entry.Shape,
                packs ? 8u : 0u,
                [.. packs ? values.Chunk(Block).SelectMany(Q8) : values.SelectMany(BitConverter.GetBytes)]
            );
        }

        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(to))!);
        File.WriteAllBytes(_folder.File(to), writer.Build());
    }

    private static IEnumerable<byte> Q8(float[] block)
    {
        var scale = (Half)(block.Max(Math.Abs) / 127);
        var codes = block.Select(value => scale == Half.Zero ? 0 : Math.Clamp(Math.Round(value / (float)scale), -127, 127));
        return BitConverter.GetBytes(scale).Concat(codes.Select(code => (byte)(sbyte)code));
    }

    private static string GgufUmt5(string key) =>
        key switch
        {
            "token_embedding.weight" => "token_embd.weight",
            "norm.weight" => "enc.output_norm.weight",
            _ => new[]
            {
                ("blocks.", "enc.blk."), (".norm1.", ".attn_norm."), (".norm2.", ".ffn_norm."), (".attn.", ".attn_"),
                (".pos_embedding.embedding.", ".attn_rel_b."), (".ffn.gate.0.", ".ffn_gate."), (".ffn.fc1.", ".ffn_up."),
                (".ffn.fc2.", ".ffn_down."),
            }.Aggregate(key, (name, change) => name.Replace(change.Item1, change.Item2, StringComparison.Ordinal)),
        };

    private void WriteLora(string to, Dictionary<string, string>? metadata = null)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        for (var block = 0; block < 2; block++)
        {
            tensors[$"diffusion_model.blocks.{block}.self_attn.q.lora_A.weight"] = ones(2, 64);
            tensors[$"diffusion_model.blocks.{block}.self_attn.q.lora_B.weight"] = ones(64, 2);
        }
        Save(to, tensors, metadata);
    }

    private void Save(string to, Dictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(to))!);
        using var writer = new SafetensorsWriter(
            _folder.File(to),
            tensors.Select(t => new TensorEntry(t.Key, ElementType.Of(t.Value.dtype), t.Value.shape)),
            metadata
        );
        foreach (var (key, values) in tensors)
        {
            writer.Write(key, values);
        }

        writer.Complete();
    }

    private static string TransformersUmt5(string key) =>
        key switch
        {
            "token_embedding.weight" => "shared.weight",
            "norm.weight" => "encoder.final_layer_norm.weight",
            _ => key.Replace("blocks.", "encoder.block.", StringComparison.Ordinal)
                .Replace(".norm1.", ".layer.0.layer_norm.", StringComparison.Ordinal)
                .Replace(".norm2.", ".layer.1.layer_norm.", StringComparison.Ordinal)
                .Replace(".attn.", ".layer.0.SelfAttention.", StringComparison.Ordinal)
                .Replace(".pos_embedding.embedding.", ".layer.0.SelfAttention.relative_attention_bias.", StringComparison.Ordinal)
                .Replace(".ffn.gate.0.", ".layer.1.DenseReluDense.wi_0.", StringComparison.Ordinal)
                .Replace(".ffn.fc1.", ".layer.1.DenseReluDense.wi_1.", StringComparison.Ordinal)
                .Replace(".ffn.fc2.", ".layer.1.DenseReluDense.wo.", StringComparison.Ordinal),
        };

    private static string Diffusers(string key) =>
        key switch
        {
            "head.modulation" => "scale_shift_table",
            _ => new[]
            {
                ("text_embedding.0.", "condition_embedder.text_embedder.linear_1."),
                ("text_embedding.2.", "condition_embedder.text_embedder.linear_2."),
                ("time_embedding.0.", "condition_embedder.time_embedder.linear_1."),
                ("time_embedding.2.", "condition_embedder.time_embedder.linear_2."),
                ("time_projection.1.", "condition_embedder.time_proj."), ("head.head.", "proj_out."),
                (".modulation", ".scale_shift_table"), (".norm3.", ".norm2."), (".self_attn.norm_", ".attn1.norm_"),
                (".self_attn.o.", ".attn1.to_out.0."), (".self_attn.", ".attn1.to_"),
                (".cross_attn.norm_", ".attn2.norm_"), (".cross_attn.o.", ".attn2.to_out.0."),
                (".cross_attn.", ".attn2.to_"), (".ffn.0.", ".ffn.net.0.proj."), (".ffn.2.", ".ffn.net.2."),
            }.Aggregate(key, (name, change) => name.Replace(change.Item1, change.Item2, StringComparison.Ordinal)),
        };

    private async Task<byte[]> RenderAsync(RenderOrder order) => (await RendererProcess.RenderAsync(order, _folder)).Frames;

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new ProcessStartInfo(ToolsProgram.File, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }
}
