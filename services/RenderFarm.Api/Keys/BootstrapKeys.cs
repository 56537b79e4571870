using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>
/// The first two keys of a farm. The file holds them in the clear for the CLI and the worker beside it; the database
/// holds only their hashes, and learns at every start those that it lacks.
/// </summary>
public sealed class BootstrapKeys(ApiKeys keys, IOptions<KeysOptions> options)
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public async Task EnsureAsync(CancellationToken cancel)
    {
        var path = options.Value.BootstrapFile;
        if (path.Length == 0)
        {
            return;
        }

        var pair = await ReadAsync(path, cancel) ?? await WriteAsync(path, cancel);
        await keys.EnsureAsync("bootstrap admin", pair.AdminKey, KeyScopes.Admin | KeyScopes.Submit | KeyScopes.Read, cancel);
        await keys.EnsureAsync("bootstrap worker", pair.WorkerKey, KeyScopes.Worker, cancel);
    }

    private static async Task<Pair?> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            await using var file = File.OpenRead(path);
            var pair = await JsonSerializer.DeserializeAsync<Pair>(file, Format, cancel);
            return pair is { AdminKey.Length: > 0, WorkerKey.Length: > 0 } ? pair : throw Unreadable(path, "it lacks admin_key or worker_key");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e.Message);
        }
    }

    /// <summary>Written aside and moved: whoever waits for the file never reads half of it.</summary>
    private static async Task<Pair> WriteAsync(string path, CancellationToken cancel)
    {
        var pair = new Pair(NewSecret(), NewSecret());
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var aside = path + ".new";
        File.Delete(aside);
        var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            mode.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using (var file = new FileStream(aside, mode))
        {
            await JsonSerializer.SerializeAsync(file, pair, Format, cancel);
        }

        File.Move(aside, path, overwrite: false);
        return pair;
    }

    private static string NewSecret() => "rf_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private static OptionsValidationException Unreadable(string path, string why) =>
        new(KeysOptions.Section, typeof(KeysOptions), [$"Keys:BootstrapFile '{path}' can't be used: {why}"]);

    private sealed record Pair(string AdminKey, string WorkerKey);
}
