using System.Data.Common;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace RenderFarm.Jobs.Persistence;

/// <summary>What a store's exception means: not now, once more from the start, not with these settings; or a fault of ours.</summary>
internal static class StoreFaults
{
    /// <summary>
    /// What PostgreSQL says that means "not now", by SQLSTATE or its beginning. It has carried out nothing, and the same
    /// statement is right at another time; anything else it says is about the statement.
    /// </summary>
    internal static readonly IReadOnlyList<NotNow> PostgresNotNow =
    [
        new("08", "the connection broke"),
        new("25006", "read-only: a standby, a primary that was demoted, or a database that was set so because its disk is full"),
        new("25P03", "the server ended a transaction that had been idle for too long"),
        new("25P04", "the server ended a transaction that had taken too long"),
        new("3D000", "the database is not there: it is being restored, or moved"),
        new("40001", "two transactions collided"),
        new("40P01", "two transactions waited for each other"),
        // Migration took a server that is starting for one without the database
        new("42P04", "another process has just made the database"),
        new("53", "out of connections, memory or disk"),
        new("55P03", "somebody holds a lock"),
        new("57014", "the server's statement_timeout has passed, or an administrator has cancelled the statement"),
        new("57P", "the server is starting, stopping or recovering"),
        new("58030", "the server can't read or write its files"),
    ];

    /// <summary>Two transactions met; the store rolled one of them back and asks to have it run again.</summary>
    public static bool IsCollision(Exception fault) =>
        Root(fault) is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>The store is away or can't do it just now.</summary>
    public static bool IsOutage(Exception fault) =>
        Root(fault) switch
        {
            // Npgsql says so of a statement whose caller has gone, with the server's own word on it inside
            PostgresException when fault is OperationCanceledException => false,
            PostgresException said => PostgresNotNow.Any(known => said.SqlState.StartsWith(known.SqlState, StringComparison.Ordinal)),
            NpgsqlException => true,
            SocketException or TimeoutException or EndOfStreamException => true,
            SqliteException s => s.SqliteErrorCode is 5 or 6 or 8 or 10 or 13 or 14, // Busy, locked, read-only, I/O error, full, can't open
            _ => false,
        };

    /// <summary>Connections that lie idle are no better: the server behind them has frozen, or is not the primary any more.</summary>
    public static bool CondemnsConnections(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is TimeoutException or PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>In words, for who set it up; null for any other fault.</summary>
    public static string? Refusal(Exception fault) =>
        Root(fault) switch
        {
            PostgresException p when p.SqlState.StartsWith("28", StringComparison.Ordinal) =>
                $"the server does not let this user in: {p.MessageText} ({p.SqlState}).",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } p =>
                $"{p.MessageText} ({p.SqlState}); the user must own the database, or be allowed to create it.",
            // Rights, read-only, not a database
            SqliteException { SqliteErrorCode: 3 or 8 or 26 } s =>
                $"{s.Message} The file must be a database of this farm, or absent, and its folder writable.",
            _ => null,
        };

    private static Exception Root(Exception fault) =>
        fault switch
        {
            DbException => fault,
            { InnerException: { } inner } => Root(inner),
            _ => fault,
        };
}

/// <param name="SqlState">All of it, or the class it begins with.</param>
/// <param name="Meaning">For the reader of this table.</param>
internal sealed record NotNow(string SqlState, string Meaning);
