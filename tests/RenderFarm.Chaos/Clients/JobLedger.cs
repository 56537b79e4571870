using System.Collections.Concurrent;

namespace RenderFarm.Chaos.Clients;

/// <summary>What the clients know of one job: only what an answer has told them.</summary>
internal sealed class LedgerEntry(string id, string idempotencyKey, string client)
{
    public string Id => id;
    public string IdempotencyKey => idempotencyKey;
    public string Client => client;

    /// <summary>A cancel was answered with 200.</summary>
    public bool CancelAccepted { get; set; }

    /// <summary>A cancel was sent, answered or not.</summary>
    public bool CancelSent { get; set; }
    public bool DeleteSent { get; set; }
    public bool DeleteAccepted { get; set; }

    /// <summary>The last status that was seen; completed and failed are for good.</summary>
    public string Status { get; set; } = "queued";

    /// <summary>Entity tag (the checksum) of the first download; every later one must show the same.</summary>
    public string? ContentTag { get; set; }
    public bool IsFinal => Status is "completed" or "failed";
}

/// <summary>Every accepted job, and everything that clients saw and should not have seen.</summary>
internal sealed class JobLedger
{
    public ConcurrentDictionary<string, LedgerEntry> Jobs { get; } = new();
    public ConcurrentQueue<string> Breaches { get; } = new();
    public ConcurrentDictionary<string, int> Answers { get; } = new();
    private int _downloads;

    public int Downloads => _downloads;

    public void Accepted(LedgerEntry entry)
    {
        if (!Jobs.TryAdd(entry.Id, entry) && Jobs[entry.Id].IdempotencyKey != entry.IdempotencyKey)
        {
            Breaches.Enqueue($"{entry.Id} was given out for two requests: {Jobs[entry.Id].IdempotencyKey} and {entry.IdempotencyKey}");
        }
    }

    public void Answered(string what, int status) => Answers.AddOrUpdate($"{what} {status}", 1, (_, count) => count + 1);

    public void Downloaded() => Interlocked.Increment(ref _downloads);
}
