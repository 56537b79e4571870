using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary><c>vae21</c>, <c>vae22</c>: both directions. <c>in.mean</c> and <c>in.std</c> are the latents' normalisation.</summary>
internal static class VaeParity
{
    public static void Check21(ParityFile file) => Check(file, VaeKind.Wan21);

    public static void Check22(ParityFile file) => Check(file, VaeKind.Wan22);

    private static void Check(ParityFile file, VaeKind kind)
    {
        using var golden = file.Open();
        using var vae = Load(golden, kind);
        file.Compare(golden, "encoded", vae.Module.Encode(golden.Input("video")));
        var frames = vae.Module.DecodeUnclamped(golden.Input("z")).ToList();
        file.Compare(golden, "decoded", cat(frames, 2));
        frames.ForEach(frame => frame.Dispose());
    }

    public static Loaded<WanVae> Load(GoldenFile golden, VaeKind kind) =>
        LoadedWeights.Build(golden.Weights, golden.Device, ScalarType.Float32, weights => new WanVae(weights, Shape(golden, kind)));

    private static VaeShape Shape(GoldenFile golden, VaeKind kind) =>
        new()
        {
            Kind = kind,
            Dim = golden.Size("dim"),
            DecoderDim = golden.Size(kind == VaeKind.Wan21 ? "dim" : "dec_dim"),
            LatentChannels = golden.Size("z_dim"),
            DimMultipliers = [.. golden.Config("dim_mult").EnumerateArray().Select(item => item.GetInt32())],
            ResidualBlocks = golden.Size("num_res_blocks"),
            TemporalDownsample = [.. golden.Config("temperal_downsample").EnumerateArray().Select(item => item.GetBoolean())], // So spelt
            LatentMean = Floats(golden, "mean"),
            LatentStd = Floats(golden, "std"),
        };

    private static float[] Floats(GoldenFile golden, string name)
    {
        using var values = golden.Input(name).cpu();
        return values.data<float>().ToArray();
    }
}
