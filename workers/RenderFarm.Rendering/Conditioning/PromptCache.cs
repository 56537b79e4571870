using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>
/// Encoded prompts, a file each, where prepared weights lie: a prompt that this host has encoded before needs no text encoder, and the
/// default negative prompt is every job's. What was used longest ago goes when they take more than <see cref="MostBytes"/>.
/// </summary>
/// <param name="folder">This model's; null keeps nothing.</param>
/// <param name="encoder">Says which encoder on what kind of device: another one gives another context.</param>
public sealed class PromptCache(string? folder, string encoder)
{
    /// <summary>Some five hundred prompts of usual length.</summary>
    public const long MostBytes = 256L << 20;

    private const string Suffix = ".prompt";
    private const string Context = "context";
    private const string Dropped = "dropped_tokens";
    private const string Unknown = "unknown_words";
    private const string Digest = "sha256";

    /// <summary>Null where it was not encoded here before.</summary>
    public EncodedPrompt? Find(string prompt)
    {
        if (folder is null)
        {
            return null;
        }

        var path = PathOf(prompt);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = SafetensorsFile.Open(path);
            var said = file.Metadata;
            if (said.GetValueOrDefault(Digest) != Convert.ToHexStringLower(SHA256.HashData(file.Bytes(Context))))
            {
                return null;
            }

            File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime);
            return new EncodedPrompt(
                file.Load(Context),
                int.Parse(said[Dropped], CultureInfo.InvariantCulture),
                JsonSerializer.Deserialize(said[Unknown], PromptJson.Default.IReadOnlyListString)!
            );
        }
        catch (Exception e) when (e is CheckpointException or IOException or KeyNotFoundException or FormatException or JsonException)
        {
            return null; // Damaged, or another renderer has just made room: it is encoded anew, and written over
        }
    }

    /// <returns>False where there was no room for it; the next job with this prompt encodes it again.</returns>
    public bool Keep(string prompt, EncodedPrompt encoded)
    {
        if (folder is null)
        {
            return false;
        }

        try
        {
            Directory.CreateDirectory(folder);
            Write(prompt, encoded);
            return true;
        }
        catch (IOException)
        {
            return false; // A full disk, or another renderer that makes room at the same time: no job ends of it
        }
    }

    private void Write(string prompt, EncodedPrompt encoded)
    {
        using var scope = NewDisposeScope();
        var context = encoded.Context.contiguous();
        var entry = new TensorEntry(Context, ElementType.Of(context.dtype), context.shape);
        MakeRoom(entry.Bytes);
        var path = PathOf(prompt);
        var aside = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}");
        var metadata = new Dictionary<string, string>
        {
            [Digest] = DigestOf(context),
            [Dropped] = encoded.DroppedTokens.ToString(CultureInfo.InvariantCulture),
            [Unknown] = JsonSerializer.Serialize(encoded.UnknownWords, PromptJson.Default.IReadOnlyListString),
        };
        using (var writer = new SafetensorsWriter(aside, [entry], metadata))
        {
            writer.Write(Context, context);
            writer.Complete();
        }

        File.Move(aside, path, overwrite: true);
    }

    private static unsafe string DigestOf(Tensor context) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                new ReadOnlySpan<byte>(TensorMemory.Address(context), checked((int)(context.numel() * context.element_size())))
            )
        );

    private string PathOf(string prompt) =>
        Path.Combine(
            folder!,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{encoder}\n{prompt}")))[..40] + Suffix
        );

    private void MakeRoom(long bytes)
    {
        var kept = new DirectoryInfo(folder!).EnumerateFiles("*" + Suffix).OrderBy(file => file.LastWriteTimeUtc).ToList();
        var taken = kept.Sum(file => file.Length) + bytes;
        foreach (var oldest in kept.TakeWhile(_ => taken > MostBytes))
        {
            taken -= oldest.Length;
            oldest.Delete();
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class PromptJson : System.Text.Json.Serialization.JsonSerializerContext;
