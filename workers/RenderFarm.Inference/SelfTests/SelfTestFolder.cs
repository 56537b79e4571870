using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RenderFarm.Inference.SelfTests;

/// <summary>Where findings are kept, a JSON file for each key.</summary>
/// <param name="path">Null: nothing is kept, and every process finds out for itself.</param>
public sealed class SelfTestFolder(string? path)
{
    /// <summary>The user's own: the farm's folder may be another host's. Without a home nothing is kept.</summary>
    public static SelfTestFolder OfThisUser() =>
        new(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
                ? Path.Combine(home, ".cache", "renderfarm", "selftest")
                : null
        );

    /// <summary>For one look.</summary>
    public static SelfTestFolder Nowhere { get; } = new(path: null);

    /// <summary>Null where this key was never judged.</summary>
    public SelfTestRecord? Find(SelfTestKey key)
    {
        if (path is null || !File.Exists(PathOf(path, key)))
        {
            return null;
        }

        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(path, key)), SelfTestJson.Default.SelfTestRecord);
            return read?.Key == key && read.Findings is not null ? read : null;
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            return null; // As good as never judged: judging replaces it
        }
    }

    /// <returns>Null when it is kept; else why it is not: the next process judges again, and nothing else follows.</returns>
    public string? Keep(SelfTestRecord record)
    {
        if (path is null)
        {
            return "this user has no home folder";
        }

        try
        {
            Directory.CreateDirectory(path);
            var file = PathOf(path, record.Key);
            var aside = string.Create(CultureInfo.InvariantCulture, $"{file}.{Environment.ProcessId}");
            File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(record, SelfTestJson.Default.SelfTestRecord));
            File.Move(aside, file, overwrite: true);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return fault.Message;
        }
    }

    /// <summary>Two keys with one digest share a file, and take turns: the key that it holds is compared.</summary>
    private static string PathOf(string folder, SelfTestKey key) =>
        Path.Combine(folder, $"{ShortDigest.Of($"{key.Device}\n{key.Driver}\n{key.LibTorch}\n{key.Cases}")}.json");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(SelfTestRecord))]
internal sealed partial class SelfTestJson : JsonSerializerContext;
