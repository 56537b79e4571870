using System.Text.Json;
using System.Text.Json.Serialization;

namespace RenderFarm.Jobs.Keys;

/// <summary>The first keys of a farm, in a file that only its owner can read.</summary>
public sealed record BootstrapKeys
{
    [JsonPropertyName("admin_key")]
    public required string AdminKey { get; init; }

    [JsonPropertyName("worker_key")]
    public required string WorkerKey { get; init; }
}

/// <summary>Makes sure that the keys of the bootstrap file are valid; writes the file (mode 600) where it is missing.</summary>
public sealed class KeyBootstrap(ApiKeys keys)
{
    /// <exception cref="InvalidDataException">The file is there but is not a key file.</exception>
    public async Task<BootstrapKeys> EnsureAsync(string path, CancellationToken cancellationToken)
    {
        var first = await ReadOrWriteAsync(Path.GetFullPath(path), cancellationToken);
        await keys.AddAsync(
            "bootstrap admin",
            KeyScopes.Admin | KeyScopes.Submit | KeyScopes.Read,
            100,
            new KeyTerms(),
            first.AdminKey,
            cancellationToken
        );
        await keys.AddAsync("bootstrap worker", KeyScopes.Worker, 0, new KeyTerms(), first.WorkerKey, cancellationToken);
        return first;
    }

    private static async Task<BootstrapKeys> ReadOrWriteAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var made = new BootstrapKeys { AdminKey = ApiKeys.NewSecret(), WorkerKey = ApiKeys.NewSecret() };
            var part = $"{path}.{Guid.NewGuid():N}.part";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using (var stream = new FileStream(part, options))
            {
                await JsonSerializer.SerializeAsync(stream, made, KeysJson.Default.BootstrapKeys, cancellationToken);
            }

            try
            {
                // Never over a file that another process has just made: both must end up with the same keys
                File.Move(part, path, overwrite: false);
                return made;
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(part);
            }
        }
        try
        {
            await using var stream = File.OpenRead(path);
            var read = await JsonSerializer.DeserializeAsync(stream, KeysJson.Default.BootstrapKeys, cancellationToken);
            if (
                read is { }
                && read.AdminKey.StartsWith(ApiKeys.SecretPrefix, StringComparison.Ordinal)
                && read.WorkerKey.StartsWith(ApiKeys.SecretPrefix, StringComparison.Ordinal)
            )
            {
                return read;
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(Malformed(path), e);
        }
        throw new InvalidDataException(Malformed(path));
    }

    private static string Malformed(string path) =>
        $"Keys:BootstrapFile {path} must hold {{\"admin_key\":\"rf_…\",\"worker_key\":\"rf_…\"}}; mend it, or remove it to have a new one "
        + "written.";
}
