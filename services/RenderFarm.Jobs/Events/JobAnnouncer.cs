using System.Globalization;
using System.Threading.Channels;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Spreads the word that a job may be had: to long polls of this process, to those of other API processes (NOTIFY, on
/// PostgreSQL), and to <see cref="BellRinger"/> for the broker. Words only: whoever misses them finds the row later.
/// </summary>
public sealed class JobAnnouncer(JobSignal signal)
{
    internal const string Channel = "renderfarm_jobs";

    // Bells beyond this many are left to the relay; a worker at work looks for its next job unrung
    private readonly Channel<Announcement> _bells = System.Threading.Channels.Channel.CreateBounded<Announcement>(
        new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>Tells this process's notifications from those of others.</summary>
    internal string Sender { get; } = Guid.NewGuid().ToString("N");

    internal ChannelReader<Announcement> Bells => _bells.Reader;

    /// <summary>Inside the transaction: other processes hear of it when it commits.</summary>
    internal static async Task NotifyAsync(
        JobsDbContext db,
        string model,
        int vramClass,
        string sender,
        CancellationToken cancellationToken
    )
    {
        if (db.Dialect.Notify is not { } notify)
        {
            return;
        }

        await db.ExecuteAsync(
            notify,
            cancellationToken,
            ("channel", Channel),
            ("payload", string.Create(CultureInfo.InvariantCulture, $"{sender} {model} {vramClass}"))
        );
    }

    /// <summary>After the commit.</summary>
    internal void Committed(Announcement job)
    {
        signal.Raise(job.Model, job.VramClass);
        _bells.Writer.TryWrite(job);
    }

    /// <summary>A notification from the database.</summary>
    internal void Heard(string payload)
    {
        var parts = payload.Split(' ');
        if (parts.Length == 3 && parts[0] != Sender && int.TryParse(parts[2], CultureInfo.InvariantCulture, out var vramClass))
        {
            signal.Raise(parts[1], vramClass);
        }
    }
}

/// <param name="Fence">Of the job's newest lease; 0 before the first.</param>
internal sealed record Announcement(string JobId, long Fence, string Model, int VramClass);
