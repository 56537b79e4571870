using System.Data.Common;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// The one way to the tables. A piece of work is a function of a fresh context; a write runs in a transaction and is run
/// again from its start when the store says that two of them collided. An outage is <see cref="StoreUnavailableException"/>,
/// or <see cref="OperationCanceledException"/> for a caller who has cancelled by then.
/// </summary>
public sealed class JobDatabase : IAsyncDisposable
{
    private const int Tries = 5;

    /// <summary>
    /// Every statement but the counting ones takes milliseconds. A connection that has silently died is found out by this much
    /// waiting, well within a lease; the one that listens is found out by asking it every so often.
    /// </summary>
    private const int PatienceSeconds = 5;
    private const int MigrationSeconds = 3600;
    private const int PreparedStatements = 100;
    private readonly Func<JobsDbContext> _open;

    public JobDatabase(StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Kind == StoreKind.Postgres)
        {
            var pool = WithPatience(options.ConnectionString);
            Postgres = NpgsqlDataSource.Create(pool);
            Listening = NpgsqlDataSource.Create(WithKeepAlive(pool));
            _open = Pool(new DbContextOptionsBuilder<PostgresJobsDbContext>().UseNpgsql(Postgres).Options);
        }
        else
        {
            _open = Pool(
                new DbContextOptionsBuilder<SqliteJobsDbContext>()
                    .UseSqlite(options.ConnectionString)
                    .AddInterceptors(new SqlitePragmas())
                    .Options
            );
        }
    }

    private static Func<JobsDbContext> Pool<TContext>(DbContextOptions<TContext> options)
        where TContext : JobsDbContext
    {
        var contexts = new PooledDbContextFactory<TContext>(options);
        return () =>
        {
            var db = contexts.CreateDbContext();
            db.Begin();
            return db;
        };
    }

    /// <summary>What the operator's own string says goes before.</summary>
    private static string WithPatience(string connectionString)
    {
        var (given, plain) = (new NpgsqlConnectionStringBuilder(connectionString), new NpgsqlConnectionStringBuilder());
        if (given.CommandTimeout == plain.CommandTimeout)
        {
            given.CommandTimeout = PatienceSeconds;
        }
        // Planning most of the statements takes longer than running them; 0 switches it off, for a pooler in between
        if (!new DbConnectionStringBuilder { ConnectionString = connectionString }.ContainsKey("Max Auto Prepare"))
        {
            given.MaxAutoPrepare = PreparedStatements;
        }

        return given.ConnectionString;
    }

    /// <summary>
    /// A connection that only waits is asked every so often. Idle ones of the pool are not: Npgsql clears a pool from within the asking
    /// as well, and a second clearing returns before the first is through, so that a dead connection is given out again.
    /// </summary>
    private static string WithKeepAlive(string connectionString)
    {
        var kept = new NpgsqlConnectionStringBuilder(connectionString);
        if (kept.KeepAlive == new NpgsqlConnectionStringBuilder().KeepAlive)
        {
            kept.KeepAlive = PatienceSeconds;
        }

        return kept.ConnectionString;
    }

    /// <summary>Null on SQLite.</summary>
    internal NpgsqlDataSource? Postgres { get; }

    /// <summary>For a connection that waits for notifications; null on SQLite.</summary>
    internal NpgsqlDataSource? Listening { get; }

    /// <summary>Raised after a commit that added to the log of events. Handlers return at once.</summary>
    internal event Action? EventsWritten;

    /// <summary>Raised after a commit that took jobs off the queue or put them back. Handlers return at once.</summary>
    internal event Action? QueueChanged;

    /// <summary>Raised after a commit by which so many leases that were taken for lost are held again. Handlers return at once.</summary>
    public event Action<int>? LeasesRevived;

    /// <summary>Raised after a commit that added jobs to the queue. Handlers return at once.</summary>
    internal event Action<IReadOnlyList<JoinedJob>>? Joined;

    public async Task<T> ReadAsync<T>(Func<JobsDbContext, Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        await using var db = _open();
        try
        {
            return await work(db);
        }
        catch (Exception e) when (IsOutage(e))
        {
            throw Unavailable(e, cancellationToken);
        }
    }

    public Task<T> WriteAsync<T>(Func<JobsDbContext, Task<T>> work, CancellationToken cancellationToken) =>
        WriteAsync<IAsyncDisposable?, T>(_ => Task.FromResult<IAsyncDisposable?>(null), (db, _) => work(db), cancellationToken);

    /// <param name="prepare">What is done on the same connection before the transaction, and undone after it.</param>
    /// <param name="work">The transaction.</param>
    /// <param name="cancellationToken">Ends it before the commit.</param>
    internal async Task<T> WriteAsync<TPrepared, T>(
        Func<JobsDbContext, Task<TPrepared>> prepare,
        Func<JobsDbContext, TPrepared, Task<T>> work,
        CancellationToken cancellationToken
    )
        where TPrepared : IAsyncDisposable?
    {
        ArgumentNullException.ThrowIfNull(work);
        for (var attempt = 1; ; attempt++)
        {
            await using var db = _open();
            try
            {
                await using var prepared = await prepare(db);
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                var result = await work(db, prepared);
                // Not to be cancelled: a caller who has gone must not leave it open whether this happened
                await transaction.CommitAsync(CancellationToken.None);
                if (db.ChangedQueue)
                {
                    QueueChanged?.Invoke();
                }

                if (db.Revived > 0)
                {
                    LeasesRevived?.Invoke(db.Revived);
                }

                if (db.Joined.Count > 0)
                {
                    Joined?.Invoke(db.Joined);
                }

                if (db.WroteEvents)
                {
                    EventsWritten?.Invoke();
                }

                return result;
            }
            catch (Exception e) when (attempt < Tries && IsCollision(e)) { }
            catch (Exception e) when (IsOutage(e))
            {
                throw Unavailable(e, cancellationToken);
            }
        }
    }

    /// <summary>Brings the schema up to date. Two services may start at once: the second waits, and then finds nothing to do.</summary>
    /// <exception cref="StoreRefusedException">Not with these settings, or not this database.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BringUpToDateAsync(cancellationToken);
        }
        catch (Exception e) when (Refusal(e) is { } refusal)
        {
            throw new StoreRefusedException(refusal, e);
        }
    }

    private Task<bool> BringUpToDateAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            async db =>
            {
                if (Postgres is null)
                {
                    await UpdateAsync(db, cancellationToken);
                    return true;
                }
                // One may have to wait for another process's, and rewriting a table takes its time
                db.Database.SetCommandTimeout(MigrationSeconds);
                var creator = db.GetService<IRelationalDatabaseCreator>();
                try
                {
                    if (!await creator.ExistsAsync(cancellationToken))
                    {
                        await creator.CreateAsync(cancellationToken);
                    }
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateDatabase)
                {
                    // A server that is just starting up was taken for one without the database, or another process was first
                }
                // EF Core's own lock ends with each migration: between two of them another process would step in
                await db.ExecuteAsync("SELECT pg_advisory_lock(@key)", cancellationToken, ("key", SqlDialect.MigrationLock));
                try
                {
                    await UpdateAsync(db, cancellationToken);
                }
                finally
                {
                    await db.ExecuteAsync("SELECT pg_advisory_unlock(@key)", CancellationToken.None, ("key", SqlDialect.MigrationLock));
                }
                return true;
            },
            cancellationToken
        );

    private static async Task UpdateAsync(JobsDbContext db, CancellationToken cancellationToken)
    {
        await SchemaHistory.RequireKnownAsync(db, cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        if (Listening is not null)
        {
            await Listening.DisposeAsync();
        }
    }

    private StoreUnavailableException Unavailable(Exception e, CancellationToken cancellationToken)
    {
        // Who has given up hears just that, whatever his last attempt met with
        cancellationToken.ThrowIfCancellationRequested();
        // Where one connection has died without a word, those that lie idle have too: new ones are made
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is TimeoutException)
            {
                Postgres?.Clear();
            }
        }

        return new StoreUnavailableException("The job store is unavailable; try again in a moment.", e);
    }

    /// <summary>Two transactions met; the store rolled one of them back and asks to have it run again.</summary>
    private static bool IsCollision(Exception e) =>
        Root(e) switch
        {
            PostgresException p => p.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure,
            _ => false,
        };

    private static bool IsOutage(Exception e) =>
        Root(e) switch
        {
            // A server that is starting, stopping or out of connections; anything else it says is about the statement
            PostgresException p => p.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || p.SqlState.StartsWith("08", StringComparison.Ordinal)
                || p.SqlState.StartsWith("53", StringComparison.Ordinal)
                || p.SqlState
                    is PostgresErrorCodes.DeadlockDetected
                        or PostgresErrorCodes.SerializationFailure
                        or PostgresErrorCodes.InvalidCatalogName
                // Migration took a server that is starting for one without the database
                || p.SqlState == PostgresErrorCodes.DuplicateDatabase,
            NpgsqlException => true,
            SocketException or TimeoutException or EndOfStreamException => true,
            SqliteException s => s.SqliteErrorCode is 5 or 6 or 10 or 13 or 14, // Busy, locked, I/O error, full, can't open
            _ => false,
        };

    /// <summary>In words, for who set it up; null for any other fault.</summary>
    private static string? Refusal(Exception e) =>
        Root(e) switch
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

    private static Exception Root(Exception e) =>
        e switch
        {
            DbException => e,
            { InnerException: { } inner } => Root(inner),
            _ => e,
        };

    /// <summary>Readers beside the one writer, and a wait instead of an error where two writers meet.</summary>
    private sealed class SqlitePragmas : DbConnectionInterceptor
    {
        private const string Reading = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;";
        private const string Writing = $"{Reading} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = Pragmas(connection);
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(
            DbConnection connection,
            ConnectionEndEventData eventData,
            CancellationToken cancellationToken = default
        )
        {
            await using var command = Pragmas(connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        private static DbCommand Pragmas(DbConnection connection)
        {
            // Migration first looks, without the right to write, whether there is a file: one that another process has just made is not in
            // WAL mode yet
            var reads = new SqliteConnectionStringBuilder(connection.ConnectionString).Mode == SqliteOpenMode.ReadOnly;
            var command = connection.CreateCommand();
            command.CommandText = reads ? Reading : Writing;
            return command;
        }
    }
}
