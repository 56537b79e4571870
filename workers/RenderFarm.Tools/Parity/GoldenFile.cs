using System.Text.Json;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>A golden file: weights <c>w.*</c>, inputs <c>in.*</c>, outputs <c>out.*</c> and its configuration.</summary>
internal sealed class GoldenFile : IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly JsonDocument _config;

    private GoldenFile(SafetensorsFile file, JsonDocument config, Device device)
    {
        (_file, _config, Device) = (file, config, device);
        Weights = new PrefixedSource(file, "w.");
    }

    public static GoldenFile Open(string path, Device device)
    {
        var file = SafetensorsFile.Open(path);
        try
        {
            if (!file.Metadata.TryGetValue("config", out var config))
            {
                throw new CheckpointException(path, "__metadata__", "has no 'config'");
            }

            return new GoldenFile(file, JsonDocument.Parse(config), device);
        }
        catch (JsonException e)
        {
            file.Dispose();
            throw new CheckpointException(path, "config", $"is not JSON ({e.Message})", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public Device Device { get; }

    public ITensorSource Weights { get; }

    public bool HasInput(string name) => _file.Entries.ContainsKey("in." + name);

    public bool HasOutput(string name) => _file.Entries.ContainsKey("out." + name);

    /// <summary>On the device, in the current dispose scope: float32, or int64 for whole numbers, however they are stored.</summary>
    public Tensor Input(string name)
    {
        using var stored = _file.Load("in." + name);
        return stored.to(stored.is_floating_point() ? ScalarType.Float32 : ScalarType.Int64, Device, copy: true);
    }

    /// <summary>A file within the file.</summary>
    public byte[] Bytes(string input) => _file.Bytes("in." + input).ToArray();

    public Tensor Output(string name) => _file.Load("out." + name);

    /// <summary>A required entry of the configuration.</summary>
    public JsonElement Config(string key) =>
        _config.RootElement.ValueKind == JsonValueKind.Object && _config.RootElement.TryGetProperty(key, out var value)
            ? value
            : throw new CheckpointException(_file.Name, "config", $"has no '{key}'");

    public int Size(string key) =>
        Config(key).ValueKind == JsonValueKind.Number && Config(key).TryGetInt32(out var size) && size > 0
            ? size
            : throw new CheckpointException(_file.Name, "config", $"'{key}' is {Config(key)}; a whole number from 1 is needed");

    public void Dispose()
    {
        _config.Dispose();
        _file.Dispose();
    }
}
