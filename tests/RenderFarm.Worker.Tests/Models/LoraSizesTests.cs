using System.Buffers.Binary;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Models;

namespace RenderFarm.Worker.Tests.Models;

public sealed class LoraSizesTests : IDisposable
{
    private const string Pair = """
        {"__metadata__":{"made":"here"},
         "diffusion_model.blocks.0.self_attn.q.lora_A.weight":{"dtype":"BF16","shape":[4,64],"data_offsets":[0,512]},
         "diffusion_model.blocks.0.self_attn.q.lora_B.weight":{"dtype":"BF16","shape":[64,4],"data_offsets":[512,1024]},
         "diffusion_model.blocks.0.self_attn.q.alpha":{"dtype":"F32","shape":[],"data_offsets":[1024,1028]},
         "diffusion_model.head.head.lora_A.weight":{"dtype":"BF16","shape":[4,1000],"data_offsets":[1028,9028]}}
        """;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Of_Files_CountsWhatTheyBringToBlocks()
    {
        var files = Files(new() { ["film"] = Write("film.safetensors", Pair), ["other"] = Write("other.safetensors", Pair) });

        Assert.Equal(2 * 4 * 64, LoraSizes.Of(files, [new LoraReference("film")]));
        Assert.Equal(4 * 4 * 64, LoraSizes.Of(files, [new LoraReference("film"), new LoraReference("other", 0.5)]));
        Assert.Null(LoraSizes.Of(files, []));
    }

    [Fact]
    public void Of_TwoExperts_IsTheLarger()
    {
        var files = Files(new() { ["film"] = Write("film.safetensors", Pair) });
        files.LorasLowNoise = new Dictionary<string, string>
        {
            ["film"] = Write("low.safetensors", Pair.Replace("[64,4]", "[640,4]", StringComparison.Ordinal)),
        };

        Assert.Equal(4 * (64 + 640), LoraSizes.Of(files, [new LoraReference("film")]));
    }

    [Theory]
    [InlineData("damaged.safetensors", "{\"blocks.0\":")]
    [InlineData("list.safetensors", "[]")]
    [InlineData("shapeless.safetensors", "{\"blocks.0.lora_A.weight\":{\"dtype\":\"F32\"}}")]
    [InlineData("negative.safetensors", "{\"blocks.0.lora_A.weight\":{\"shape\":[-1,4]}}")]
    [InlineData("huge.safetensors", "{\"blocks.0.lora_A.weight\":{\"shape\":[1000000000,1000000000,1000000000]}}")]
    [InlineData("pickled.pt", Pair)]
    public void Of_FileThatCantBeCounted_IsUnknown(string name, string header) =>
        Assert.Null(LoraSizes.Of(Files(new() { ["film"] = Write(name, header) }), [new LoraReference("film")]));

    [Fact]
    public void Of_FileThatIsGone_IsUnknown() =>
        Assert.Null(LoraSizes.Of(Files(new() { ["film"] = _folder.File("gone.safetensors") }), [new LoraReference("film")]));

    public void Dispose() => _folder.Dispose();

    private static ModelFiles Files(Dictionary<string, string> loras) =>
        new()
        {
            Transformer = [],
            TextEncoder = [],
            Tokenizer = "",
            Vae = [],
            Loras = loras,
        };

    private string Write(string name, string header)
    {
        var file = new byte[8 + System.Text.Encoding.UTF8.GetByteCount(header)];
        BinaryPrimitives.WriteInt64LittleEndian(file, file.Length - 8);
        System.Text.Encoding.UTF8.GetBytes(header, file.AsSpan(8));
        File.WriteAllBytes(_folder.File(name), file);
        return _folder.File(name);
    }
}
