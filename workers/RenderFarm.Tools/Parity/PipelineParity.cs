using RenderFarm.Contracts.Models;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Rendering.Sampling;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>pipeline_t2v</c>: the denoise loop and the decoder that jobs run on, from a given noise and given contexts. DiT and VAE
/// are the sibling files that its configuration names.
/// </summary>
internal static class PipelineParity
{
    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        using var ditFile = file.OpenSibling(golden.Config("dit").GetString()!);
        using var vaeFile = file.OpenSibling(golden.Config("vae").GetString()!);
        using var dit = TransformerParity.Load(ditFile);
        using var vae = VaeParity.Load(vaeFile, VaeKind.Wan21);

        var scale = golden.Config("guide_scale").GetDouble();
        using var conditional = dit.Module.Embed([golden.Input("context")]);
        using var unconditional = Guidance.NeedsUnconditional(scale) ? dit.Module.Embed([golden.Input("context_null")]) : null;
        using var sampler = Samplers.Create("unipc", golden.Size("steps"), golden.Config("shift").GetDouble());
        var latent = Denoiser.Run(
            new DenoiseInput(dit.Module, conditional, unconditional, scale),
            golden.Input("noise").unsqueeze(0),
            sampler
        );
        file.Compare(golden, "latent", latent.squeeze(0));

        var frames = vae.Module.Decode(latent).ToList();
        file.Compare(golden, "video", cat(frames, 2));
        frames.ForEach(frame => frame.Dispose());
    }
}
