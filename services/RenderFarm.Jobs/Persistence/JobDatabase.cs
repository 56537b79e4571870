using System.Data.Common;
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

    /// <summary>The connection that listens is found to be dead by asking it every so often.</summary>
    private const int KeepAliveSeconds = 5;
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
        if (given.Timeout == plain.Timeout)
        {
            given.Timeout = (int)StorePatience.Connection.TotalSeconds;
        }

        if (given.CancellationTimeout == plain.CancellationTimeout)
        {
            given.CancellationTimeout = (int)StorePatience.Cancellation.TotalMilliseconds;
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
            kept.KeepAlive = KeepAliveSeconds;
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

    /// <summary>Raised after a commit by which leases that ran out were taken back. Handlers return at once.</summary>
    public event Action<IReadOnlyList<LostLease>>? LeasesLost;

    /// <summary>Raised after a commit that added jobs to the queue. Handlers return at once.</summary>
    internal event Action<IReadOnlyList<JoinedJob>>? Joined;

    /// <param name="work">May be run again, and may still run when whoever waited for it has been let go.</param>
    /// <param name="cancellationToken">Of the caller; the work looks at it by itself.</param>
    /// <param name="patience">Absent: <see cref="StorePatience.Request"/>.</param>
    public Task<T> ReadAsync<T>(
        Func<JobsDbContext, Task<T>> work,
        CancellationToken cancellationToken,
        StorePatience? patience = null
    )
    {
        ArgumentNullException.ThrowIfNull(work);
        var bound = patience ?? StorePatience.Request;
        return WithinAsync(bound, ReadWithoutEndAsync(work, bound, cancellationToken), cancellationToken);
    }

    /// <inheritdoc cref="ReadAsync"/>
    public Task<T> WriteAsync<T>(
        Func<JobsDbContext, Task<T>> work,
        CancellationToken cancellationToken,
        StorePatience? patience = null
    )
    {
        ArgumentNullException.ThrowIfNull(work);
        return WriteAsync<IAsyncDisposable?, T>(
            _ => Task.FromResult<IAsyncDisposable?>(null),
            (db, _) => work(db),
            cancellationToken,
            patience
        );
    }

    /// <param name="prepare">What is done on the same connection before the transaction, and undone after it.</param>
    /// <param name="work">The transaction.</param>
    /// <param name="cancellationToken">Ends it before the commit.</param>
    /// <param name="patience">As above.</param>
    internal Task<T> WriteAsync<TPrepared, T>(
        Func<JobsDbContext, Task<TPrepared>> prepare,
        Func<JobsDbContext, TPrepared, Task<T>> work,
        CancellationToken cancellationToken,
        StorePatience? patience = null
    )
        where TPrepared : IAsyncDisposable?
    {
        var bound = patience ?? StorePatience.Request;
        return WithinAsync(bound, WriteWithoutEndAsync(prepare, work, bound, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Lets go of work that hangs: a server that has frozen in the middle of a statement holds Npgsql longer than any of its own bounds
    /// says. What was let go ends by itself, and gives its connection back.
    /// </summary>
    internal async Task<T> WithinAsync<T>(StorePatience patience, Task<T> running, CancellationToken cancellationToken)
    {
        if (Postgres is null)
        {
            return await running;
        }

        try
        {
            return await running.WaitAsync(patience.Parts.Usual, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            SpareThreads.Call(); // Its own end, if this was that, comes next
        }

        try
        {
            return await running.WaitAsync(patience.Parts.Beyond, CancellationToken.None);
        }
        catch (TimeoutException e)
        {
            if (running.IsCompleted)
            {
                return await running; // Its own end, or one in the very moment in which patience was over
            }

            // Its fault is this one, seen later
            _ = running.ContinueWith(
                late => late.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default
            );
            throw Unavailable(
                new TimeoutException($"The job store did not answer within {patience.Whole.TotalSeconds} s.", e),
                cancellationToken
            );
        }
    }

    private JobsDbContext Open(StorePatience patience)
    {
        var db = _open();
        if (Postgres is not null)
        {
            db.Database.SetCommandTimeout(patience.Statement);
        }

        return db;
    }

    private async Task<T> ReadWithoutEndAsync<T>(
        Func<JobsDbContext, Task<T>> work,
        StorePatience patience,
        CancellationToken cancellationToken
    )
    {
        await using var db = Open(patience);
        try
        {
            return await work(db);
        }
        catch (Exception e) when (StoreFaults.IsOutage(e))
        {
            throw Unavailable(e, cancellationToken);
        }
    }

    private async Task<T> WriteWithoutEndAsync<TPrepared, T>(
        Func<JobsDbContext, Task<TPrepared>> prepare,
        Func<JobsDbContext, TPrepared, Task<T>> work,
        StorePatience patience,
        CancellationToken cancellationToken
    )
        where TPrepared : IAsyncDisposable?
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var db = Open(patience);
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

                if (db.Lost.Count > 0)
                {
                    LeasesLost?.Invoke(db.Lost);
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
            catch (Exception e) when (attempt < Tries && StoreFaults.IsCollision(e)) { }
            catch (Exception e) when (StoreFaults.IsOutage(e))
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
        catch (Exception e) when (StoreFaults.Refusal(e) is { } refusal)
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
            cancellationToken,
            StorePatience.Migration
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
        if (StoreFaults.CondemnsConnections(e))
        {
            Postgres?.Clear();
        }

        return new StoreUnavailableException("The job store is unavailable; try again in a moment.", e);
    }

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
