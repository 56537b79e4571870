using System.Text.Json;

namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// The few words that the two stores say differently. Times are <c>timestamptz</c> in PostgreSQL and microseconds since
/// 1970 in SQLite; both come from the database's own clock.
/// </summary>
internal sealed record SqlDialect
{
    /// <summary>Advisory locks on PostgreSQL: arbitrary numbers, told apart from anybody else's in the same database.</summary>
    public const long MigrationLock = 0x52464D49;
    public const long EventLogLock = 0x52464556;

    /// <summary>The time at which the transaction (PostgreSQL) or the statement (SQLite) began.</summary>
    public required string Now { get; init; }

    /// <summary>Now plus a number of seconds, given as an expression.</summary>
    public required Func<string, string> NowPlus { get; init; }

    /// <summary>A time plus a number of seconds, both given as expressions.</summary>
    public required Func<string, string, string> TimePlus { get; init; }

    /// <summary>Seconds from the time in a column until now.</summary>
    public required Func<string, string> SecondsSince { get; init; }

    /// <summary>The greater of two numbers.</summary>
    public required string Greatest { get; init; }

    /// <summary>Tells other processes of <c>@payload</c> on <c>@channel</c> at commit; null where there are none.</summary>
    public string? Notify { get; init; }

    /// <summary>Waits for the lock <c>@key</c> and holds it until the transaction ends; null where there is one writer anyway.</summary>
    public string? LockUntilCommit { get; init; }

    /// <summary>After a select of rows to be changed: those that another holds are left to it.</summary>
    public string SkipLocked { get; init; } = "";

    /// <summary>Host and port of the address in a column; user names are not let in.</summary>
    public required Func<string, string> HostOf { get; init; }

    /// <summary>Whether the text in a column is one of a list, which is a parameter made by <see cref="List"/>.</summary>
    public required Func<string, string, string> IsOneOf { get; init; }

    /// <summary>A list of texts as a parameter.</summary>
    public required Func<IReadOnlyCollection<string>, object> List { get; init; }

    /// <summary>The text at a name in the JSON of a column.</summary>
    public required Func<string, string, string> TextIn { get; init; }

    /// <summary>One writer at a time: who has much to write makes it ready beside the tables.</summary>
    public bool HasOneWriter { get; init; }

    /// <summary>A time as a parameter.</summary>
    public required Func<DateTimeOffset, object> Time { get; init; }

    public static readonly SqlDialect Postgres = new()
    {
        Now = "now()",
        NowPlus = seconds => $"now() + {seconds} * interval '1 second'",
        TimePlus = (time, seconds) => $"CAST({time} AS timestamptz) + {seconds} * interval '1 second'",
        SecondsSince = column => $"CAST(EXTRACT(EPOCH FROM now() - {column}) AS double precision)",
        Greatest = "GREATEST",
        Notify = "SELECT pg_notify(@channel, @payload)",
        SkipLocked = "FOR UPDATE SKIP LOCKED",
        LockUntilCommit = "SELECT pg_advisory_xact_lock(@key)",
        HostOf = column => $"lower(COALESCE(substring({column} from '^[^:]+://([^/?#]+)'), ''))",
        IsOneOf = (column, list) => $"{column} = ANY({list})",
        List = texts => texts.ToArray(),
        TextIn = (column, name) => $"(CAST({column} AS json) ->> '{name}')",
        Time = time => time.ToUniversalTime(),
    };

    public static readonly SqlDialect Sqlite = new()
    {
        Now = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
        NowPlus = seconds => $"CAST((unixepoch('subsec') + {seconds}) * 1000000 AS INTEGER)",
        TimePlus = (time, seconds) => $"CAST({time} + {seconds} * 1000000 AS INTEGER)",
        SecondsSince = column => $"unixepoch('subsec') - {column} / 1000000.0",
        Greatest = "MAX",
        HostOf = column =>
        {
            var rest = $"substr({column}, instr({column}, '://') + 3)";
            return $"lower(substr({rest}, 1, min(instr({rest} || '/', '/'), instr({rest} || '?', '?'), instr({rest} || '#', '#')) - 1))";
        },
        IsOneOf = (column, list) => $"{column} IN (SELECT value FROM json_each({list}))",
        List = texts => JsonSerializer.Serialize(texts.ToArray(), JobsJson.Default.StringArray),
        TextIn = (column, name) => $"({column} ->> '{name}')",
        HasOneWriter = true,
        Time = time => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond,
    };
}
