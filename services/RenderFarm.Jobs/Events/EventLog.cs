using System.Globalization;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>Stored lifecycle events. Within a job ids grow in the order of what happened, so an id is a place to resume from.</summary>
public sealed class EventLog(JobDatabase database)
{
    /// <summary>Events of one job after an id, oldest first; the caller has checked that the job may be seen.</summary>
    public Task<IReadOnlyList<VideoEvent>> OfJobAsync(string jobId, long after, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<VideoEvent>>(async db =>
        {
            var rows = await db.Events.AsNoTracking().Where(e => e.JobId == jobId && e.Id > after).OrderBy(e => e.Id).ToListAsync(cancellation);
            return rows.ConvertAll(row =>
                new VideoEvent(row.Id.ToString(CultureInfo.InvariantCulture), row.Type, row.JobId, row.State, row.OccurredAt));
        }, cancellation);
}
