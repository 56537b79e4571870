using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Slots;

/// <summary>
/// Errors of cards that nobody has seen to yet: the file <c>card-errors.json</c> in the data directory. That this worker starts again makes
/// no card sound. A card that was taken out takes its error with it.
/// </summary>
internal sealed class CardErrorRecord(IOptions<WorkerOptions> options, SlotDiscovery discovery, ILogger<CardErrorRecord> log)
{
    public const string FileName = "card-errors.json";
    private readonly Lock _gate = new();

    private string Path => System.IO.Path.Combine(options.Value.DataDirectory, FileName);

    /// <summary>Closes the slots of cards that had failed before this start.</summary>
    /// <exception cref="WorkerSettingException">The file can't be read.</exception>
    public void Restore()
    {
        foreach (var noted in Read())
        {
            if (SlotOf(noted) is { } slot && XidErrors.Find(noted.Xid) is { } known)
            {
                slot.Break(known, noted.At);
                log.Quarantined(slot.Id, slot.Quarantine);
            }
        }
    }

    public void Note(string cardUuid, XidError error, DateTimeOffset at) =>
        Write(noted => noted.Any(other => other.Card == cardUuid) ? noted : [.. noted, new CardErrorNote(cardUuid, error.Code, at)]);

    /// <summary>Somebody has seen to it.</summary>
    public void Forget(string cardUuid) => Write(noted => [.. noted.Where(other => other.Card != cardUuid)]);

    private Slot? SlotOf(CardErrorNote noted) => discovery.Slots.FirstOrDefault(slot => slot.CardUuid == noted.Card);

    private CardErrorNote[] Read()
    {
        try
        {
            return File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllBytes(Path), CardErrorJson.Default.CardErrorNoteArray)! : [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new WorkerSettingException(
                $"Worker:DataDirectory: {Path}, which says which cards have failed, can't be read ({fault.Message}); mend it, or delete it "
                    + "when all cards are sound"
            );
        }
    }

    private void Write(Func<CardErrorNote[], CardErrorNote[]> change)
    {
        lock (_gate)
        {
            try
            {
                var noted = Read();
                var changed = change(noted);
                if (changed.SequenceEqual(noted))
                {
                    return;
                }

                PrivateFiles.Write(Path, JsonSerializer.SerializeToUtf8Bytes(changed, CardErrorJson.Default.CardErrorNoteArray));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or WorkerSettingException)
            {
                log.CardErrorsNotKept(Path, fault.Message);
            }
        }
    }
}

/// <param name="Card">Its UUID.</param>
internal sealed record CardErrorNote(string Card, long Xid, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CardErrorNote[]))]
internal sealed partial class CardErrorJson : JsonSerializerContext;
