using System.Text.Json;

namespace RenderFarm.Cli.Http;

/// <summary>The first keys of a farm, as the API writes them into its home (mode 600).</summary>
internal sealed record KeysFile(string AdminKey, string WorkerKey)
{
    /// <exception cref="FarmException">There is none, or it can't be read.</exception>
    public static KeysFile Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), FarmJson.Default.KeysFile)
                ?? throw new FarmException("no_keys", $"{path} is empty");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FarmException(
                "no_keys",
                $"there are no keys at {path} yet: a farm writes them when it first starts (./farm up)",
                error
            );
        }
        catch (Exception error) when (error is JsonException or UnauthorizedAccessException)
        {
            throw new FarmException("no_keys", $"can't read {path}: {error.Message}", error);
        }
    }
}
