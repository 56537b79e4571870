using System.Globalization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Training.Weights;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>What a stage goes on from: parameters, moments, average, steps and seconds, in one file.</summary>
internal static class StageState
{
    public static void Save(string path, FlatAdam optimiser, double seconds)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var float32 = ElementType.Of(ScalarType.Float32);
        using var writer = new SafetensorsWriter(
            path,
            optimiser.State.Select(s => new TensorEntry(s.Key, float32, s.Value.shape)),
            new Dictionary<string, string>
            {
                ["step"] = optimiser.Step.ToString(CultureInfo.InvariantCulture),
                ["seconds"] = seconds.ToString("0.0", CultureInfo.InvariantCulture),
            }
        );
        foreach (var (name, tensor) in optimiser.State)
        {
            writer.Write(name, tensor);
        }

        writer.Complete();
    }

    /// <returns>Seconds spent before; 0 where there is nothing to go on from.</returns>
    public static double Load(string path, FlatAdam optimiser)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var noGradients = no_grad();
        using var file = SafetensorsFile.Open(path);
        foreach (var (name, tensor) in optimiser.State)
        {
            using var stored = file.Load(name);
            tensor.copy_(stored);
        }
        optimiser.Resume(int.Parse(file.Metadata["step"], CultureInfo.InvariantCulture));
        return double.Parse(file.Metadata["seconds"], CultureInfo.InvariantCulture);
    }
}
