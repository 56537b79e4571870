using System.Text.Json;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Rendering.Sampling;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>sampler_*</c>: for case N of the configuration, sigmas, timesteps and the latent after every step, from
/// <c>in.xN</c> under a velocity that is a formula in x and t.
/// </summary>
internal static class SamplerParity
{
    private const string Formula = "tanh(0.7x + 0.3 sin(t/100)) - 0.2 x cos(t/170)";

    public static void CheckUniPc(ParityFile file) => Check(file, "unipc");

    public static void CheckDpmSolver(ParityFile file) => Check(file, "dpm++");

    public static void CheckEuler(ParityFile file) => Check(file, "euler");

    private static void Check(ParityFile file, string name)
    {
        using var golden = file.Open();
        if (golden.Config("velocity") is var velocity && (velocity.ValueKind != JsonValueKind.String || velocity.GetString() != Formula))
        {
            throw new CheckpointException(file.Path, "config", $"'velocity' is {velocity}; only \"{Formula}\" is known");
        }

        var index = 0;
        foreach (var settings in golden.Config("cases").EnumerateArray())
        {
            using var scope = NewDisposeScope();
            using var sampler = Samplers.Create(name, settings.GetProperty("steps").GetInt32(), settings.GetProperty("shift").GetDouble());
            file.Compare(golden, $"sigmas{index}", tensor(sampler.Schedule.Sigmas.ToArray()));
            file.Compare(golden, $"timesteps{index}", tensor(sampler.Schedule.Timesteps.ToArray()));
            file.Compare(golden, $"traj{index}", stack(Path(sampler, golden.Input($"x{index}")), 0));
            index++;
        }
    }

    private static List<Tensor> Path(ISampler sampler, Tensor latent)
    {
        var path = new List<Tensor>();
        while (sampler.Step < sampler.Schedule.Steps)
        {
            latent = sampler.Advance(Velocity(latent, sampler.Schedule.Timesteps[sampler.Step]), latent);
            path.Add(latent);
        }

        return path;
    }

    private static Tensor Velocity(Tensor x, double t) => (0.7 * x + 0.3 * Math.Sin(t / 100)).tanh() - 0.2 * x * Math.Cos(t / 170);
}
