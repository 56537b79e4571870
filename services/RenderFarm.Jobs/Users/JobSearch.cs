using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Users;

/// <summary>
/// Lists by filters. One thing that is asked for leads (<see cref="Lead"/>): its index has the jobs in the order of their ids, which is
/// that of time. What else is asked is looked at row by row, and a page looks at so many and no more (<see cref="Look"/>): it may come back
/// short, and says from where to go on. So no list takes long, however rare what it looks for.
/// </summary>
internal sealed class JobSearch
{
    /// <summary>Rows that one page looks at.</summary>
    public const int Look = 20_000;

    /// <summary>The same where each look reads a prompt.</summary>
    public const int LookAtTexts = 5_000;

    /// <summary>An id is made when its request is judged; its row is from a little later.</summary>
    private static readonly TimeSpan LongestIntake = TimeSpan.FromMinutes(30);

    private readonly SqlDialect _dialect;
    private readonly List<string> _lead = ["j.deleted_at IS NULL"];
    private readonly List<string> _rest = [];
    private readonly List<(string Name, object? Value)> _arguments = [];
    private readonly int _look;
    private string _from = "jobs j";
    private string _id = "j.id";

    private JobSearch(SqlDialect dialect, JobScope scope, JobFilter filter)
    {
        (_dialect, _look) = (dialect, filter.Text is null ? Look : LookAtTexts);
        var lead = Leading(scope, filter);
        if (scope.KeyId is { } key)
        {
            Add(lead == Lead.Key, "j.key_id = @key", ("key", key));
        }

        if (filter.Ids is { } ids)
        {
            Add(lead == Lead.Ids, dialect.IsOneOf("j.id", "@ids"), ("ids", dialect.List([.. ids])));
        }

        if (filter.BatchId is { } batch)
        {
            Add(lead == Lead.Batch, "j.batch_id = @batch", ("batch", batch));
        }

        AddMetadata(scope, filter, lead == Lead.Metadata);
        AddWorkers(filter, lead == Lead.Worker);
        if (filter.ErrorCode is { } code)
        {
            Add(lead == Lead.Error, "j.error_code = @code", ("code", code));
        }

        if (filter.States.Count > 0)
        {
            // An ended state is in an index of those alone
            var ended = filter.States is [JobState.Completed or JobState.Failed or JobState.Cancelled or JobState.Expired];
            Add(
                lead == Lead.State,
                $"j.{JobTransitions.In([.. filter.States.Order()])}{(ended ? " AND j.finished_at IS NOT NULL" : "")}"
            );
        }

        if (filter.Model is { } model)
        {
            Add(lead == Lead.Model, "j.model = @model", ("model", model));
        }

        if (filter.Text is { } text)
        {
            var prompt = dialect.TextIn("j.spec", "prompt");
            Add(false, $@"lower({prompt}) LIKE lower(@text) ESCAPE '\'", ("text", $"%{Escaped(text)}%"));
        }

        AddTimes(filter);
    }

    /// <summary>What the walk goes along; the others are conditions on it.</summary>
    private enum Lead
    {
        None,
        Ids,
        Batch,
        Metadata,
        Key,
        Worker,
        Error,
        State,
        Model,
    }

    /// <summary>A page by submission time.</summary>
    public static async Task<JobPage> PageAsync(
        JobsDbContext db,
        JobScope scope,
        JobFilter filter,
        PagePlace place,
        CancellationToken cancellationToken
    )
    {
        var search = new JobSearch(db.Dialect, scope, filter);
        var end = search._rest.Count == 0 ? null : await search.EndOfLookAsync(db, place, cancellationToken);
        var ids = await search.IdsAsync(db, place with { Limit = place.Limit + 1 }, end, cancellationToken);
        var isFull = ids.Count > place.Limit;
        var shown = ids.Take(place.Limit).ToList();
        return new JobPage(
            await JobsAsync(db, shown, cancellationToken),
            isFull || end is not null,
            isFull ? (place.Limit > 0 ? shown[^1] : place.After)
                : end ?? (shown.Count > 0 ? shown[^1] : null)
        );
    }

    /// <summary>How many there are, and the last of them: a later one was not counted.</summary>
    public static async Task<(int Count, string? Last)> CountAsync(
        JobsDbContext db,
        JobScope scope,
        JobFilter filter,
        CancellationToken cancellationToken
    )
    {
        var search = new JobSearch(db.Dialect, scope, filter);
        var counts = await db.RowsAsync(
            $"SELECT COUNT(*), MAX({search._id}) FROM {search._from} WHERE {search.Where}",
            row => ((int)row.GetInt64(0), row.TextOrNull(1)),
            cancellationToken,
            [.. search._arguments]
        );
        return counts.Single();
    }

    /// <summary>All of a page, oldest first, however far it has to look.</summary>
    public static Task<List<string>> NextAsync(
        JobsDbContext db,
        JobScope scope,
        JobFilter filter,
        PagePlace place,
        CancellationToken cancellationToken
    ) => new JobSearch(db.Dialect, scope, filter).IdsAsync(db, place, end: null, cancellationToken);

    private string Where => string.Join(" AND ", [.. _lead, .. _rest]);

    private static Lead Leading(JobScope scope, JobFilter filter) =>
        filter.Ids is not null ? Lead.Ids
        : filter.BatchId is not null ? Lead.Batch
        : filter.Metadata.Count > 0 ? Lead.Metadata
        : scope.KeyId is not null ? Lead.Key
        : filter.ErrorCode is not null ? Lead.Error
        : filter.Workers is [_] ? Lead.Worker
        : filter.States is [_] || (filter.States.Count > 0 && filter.States.All(JobTransitions.End.From.Contains)) ? Lead.State
        : filter.Model is not null ? Lead.Model
        : Lead.None;

    private void Add(bool leads, string condition, params (string, object?)[] arguments)
    {
        (leads ? _lead : _rest).Add(condition);
        _arguments.AddRange(arguments);
    }

    private void AddMetadata(JobScope scope, JobFilter filter, bool leads)
    {
        var i = 0;
        foreach (var (name, value) in filter.Metadata)
        {
            (string, object?)[] pair = [($"name{i}", name), ($"value{i}", value)];
            if (leads && i == 0)
            {
                // In this order: SQLite takes a CROSS JOIN by its word
                (_from, _id) = ("job_labels l CROSS JOIN jobs j", "l.job_id");
                Add(true, "j.id = l.job_id AND l.name = @name0 AND l.value = @value0", pair);
                if (scope.KeyId is not null)
                {
                    _lead.Add("l.key_id = @key");
                }
            }
            else
            {
                Add(
                    false,
                    $"EXISTS (SELECT 1 FROM job_labels o WHERE o.job_id = j.id AND o.name = @name{i} AND o.value = @value{i})",
                    pair
                );
            }

            i++;
        }
    }

    private void AddWorkers(JobFilter filter, bool leads)
    {
        if (filter.Workers is not { } workers)
        {
            return;
        }

        if (leads)
        {
            (_from, _id) = ("lease_records r CROSS JOIN jobs j", "r.job_id");
            Add(true, "j.id = r.job_id AND j.fence = r.fence AND r.worker_id = @worker", ("worker", workers[0]));
            return;
        }

        Add(
            false,
            "EXISTS (SELECT 1 FROM lease_records w WHERE w.job_id = j.id AND w.fence = j.fence AND "
                + $"{_dialect.IsOneOf("w.worker_id", "@workers")})",
            ("workers", _dialect.List([.. workers]))
        );
    }

    /// <summary>Ids sort by time, so a time bounds them; the exact moment is in the row.</summary>
    private void AddTimes(JobFilter filter)
    {
        if (filter.CreatedFrom is { } from)
        {
            _lead.Add($"{_id} >= @first_id AND j.created_at >= @from");
            _arguments.AddRange([("first_id", JobIds.FirstAt(from - LongestIntake)), ("from", _dialect.Time(from))]);
        }

        if (filter.CreatedBefore is { } before)
        {
            _lead.Add($"{_id} < @end_id AND j.created_at < @before");
            _arguments.AddRange([("end_id", JobIds.FirstAt(before)), ("before", _dialect.Time(before))]);
        }
    }

    /// <summary>
    /// Behind how many rows of the walk this page stops; null where there are not so many. The id is none of a job: it belongs to
    /// nobody, and has the time alone.
    /// </summary>
    private async Task<string?> EndOfLookAsync(JobsDbContext db, PagePlace place, CancellationToken cancellationToken)
    {
        var (beyond, order) = Direction(place);
        var at = await db.RowsAsync(
            $"""
            SELECT {_id} FROM {_from} WHERE {string.Join(" AND ", _lead)}{beyond} ORDER BY {_id} {order} LIMIT 1 OFFSET {_look}
            """,
            row => row.GetString(0),
            cancellationToken,
            [.. _arguments, .. After(place)]
        );
        return at is [var id] ? JobIds.EndOfMoment(id, place.Ascending) : null;
    }

    private Task<List<string>> IdsAsync(JobsDbContext db, PagePlace place, string? end, CancellationToken cancellationToken)
    {
        var (beyond, order) = Direction(place);
        var within = end is null ? "" : $" AND {_id} {(place.Ascending ? "<=" : ">=")} @end";
        return db.RowsAsync(
            $"SELECT {_id} FROM {_from} WHERE {Where}{beyond}{within} ORDER BY {_id} {order} LIMIT {place.Limit}",
            row => row.GetString(0),
            cancellationToken,
            [.. _arguments, .. After(place), .. end is null ? Array.Empty<(string, object?)>() : [("end", end)]]
        );
    }

    private (string Beyond, string Order) Direction(PagePlace place) =>
        (place.After is null ? "" : $" AND {_id} {(place.Ascending ? ">" : "<")} @after", place.Ascending ? "ASC" : "DESC");

    private static (string, object?)[] After(PagePlace place) => place.After is { } after ? [("after", after)] : [];

    private static string Escaped(string text) =>
        text.Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal);

    /// <summary>In the order of the ids, each with the worker of its newest lease.</summary>
    private static async Task<IReadOnlyList<Job>> JobsAsync(JobsDbContext db, List<string> ids, CancellationToken cancellationToken)
    {
        var rows = await db
            .Jobs.AsNoTracking()
            .Where(j => ids.Contains(j.Id))
            .LeftJoin(
                db.LeaseRecords,
                j => new { JobId = j.Id, j.Fence },
                r => new { r.JobId, r.Fence },
                (j, r) => new { Row = j, Worker = r == null ? null : r.WorkerId }
            )
            .ToDictionaryAsync(found => found.Row.Id, cancellationToken);
        return [.. ids.Where(rows.ContainsKey).Select(id => rows[id].Row.ToJob(latestWorkerId: rows[id].Worker))];
    }
}
