using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Api;

/// <summary>
/// The key that opens <c>/worker/v1</c>: from the settings, or from the bootstrap file. The file is read again after a
/// refusal, since the API writes it at its own first start, which may be after this worker's.
/// </summary>
internal sealed class WorkerKey(IOptions<WorkerOptions> worker, IOptions<KeysOptions> keys)
{
    private string? _key = string.IsNullOrWhiteSpace(worker.Value.ApiKey) ? null : worker.Value.ApiKey.Trim();

    /// <summary>Where an operator should look when the key is refused.</summary>
    public string Source =>
        string.IsNullOrWhiteSpace(worker.Value.ApiKey) ? $"worker_key in {keys.Value.BootstrapFile} (Keys:BootstrapFile)" : "Worker:ApiKey";

    /// <returns>The key, or null while the bootstrap file is not there or holds none.</returns>
    public string? Current => _key ??= keys.Value.BootstrapFile is { Length: > 0 } file ? ReadFile(file) : null;

    public void Forget()
    {
        if (string.IsNullOrWhiteSpace(worker.Value.ApiKey))
        {
            _key = null;
        }
    }

    private static string? ReadFile(string path)
    {
        try
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(path));
            return
                file.RootElement is { ValueKind: JsonValueKind.Object } fields
                && fields.TryGetProperty("worker_key", out var key)
                && key.ValueKind == JsonValueKind.String
                ? key.GetString()
                : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            return null; // Not written yet, or half written: asked again at the next call
        }
    }
}
