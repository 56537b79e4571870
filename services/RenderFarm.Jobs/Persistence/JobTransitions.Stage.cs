using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// Many new rows at once, of which one at a time is in memory. On a store with one writer they are made ready beside the table, in a
/// temporary one of their connection's own, which holds up nobody; then all of them move in one statement. Elsewhere they are streamed
/// into the table.
/// </summary>
internal static partial class JobTransitions
{
    private const string Staged = "staged_jobs";

    /// <summary>Before the transaction. To be disposed when it is over, however it ended.</summary>
    /// <param name="rows">With start tags and order keys as if their key's clock stood at 0.</param>
    public static async Task<StagedJobs> StageAsync(JobsDbContext db, IEnumerable<JobRow> rows, CancellationToken cancellationToken)
    {
        var staged = new StagedJobs(db);
        await staged.ClearAsync(cancellationToken);
        await db.ExecuteAsync($"CREATE TEMP TABLE {Staged} AS SELECT * FROM jobs WHERE 0", cancellationToken);
        var columns = ColumnsOf(db);
        await using var command = (SqliteCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText =
            $"INSERT INTO temp.{Staged} ({string.Join(", ", columns.Select(column => column.Name))}) "
            + $"VALUES ({string.Join(", ", columns.Select((_, i) => $"@p{i}"))})";
        var parameters = columns.Select((_, i) => command.Parameters.Add(new SqliteParameter($"@p{i}", null))).ToArray();
        // One of SQLite's own, for the temporary table alone: the database itself is not locked by it
        await db.ExecuteAsync("BEGIN DEFERRED", cancellationToken);
        try
        {
            foreach (var row in rows)
            {
                for (var i = 0; i < parameters.Length; i++)
                {
                    parameters[i].Value = columns[i].Value(row) ?? DBNull.Value;
                }

                await command.ExecuteNonQueryAsync(cancellationToken);
                staged.Add(row);
            }
        }
        finally
        {
            await db.ExecuteAsync("COMMIT", CancellationToken.None);
        }

        return staged;
    }

    /// <summary>In the transaction: all of them, in their order, from where their key's clock stands.</summary>
    public static Task<int> MoveStagedAsync(JobsDbContext db, double tag, CancellationToken cancellationToken)
    {
        var columns = ColumnsOf(db).Select(column => column.Name).ToArray();
        var values = columns.Select(column => column is "start_tag" or "order_key" ? $"{column} + @tag" : column);
        return db.ExecuteAsync(
            $"INSERT INTO jobs ({string.Join(", ", columns)}) SELECT {string.Join(", ", values)} FROM temp.{Staged} ORDER BY rowid",
            cancellationToken,
            ("tag", tag)
        );
    }

    /// <summary>In the transaction, on PostgreSQL.</summary>
    public static async Task<IReadOnlyList<JoinedJob>> CopyAsync(
        JobsDbContext db,
        IEnumerable<JobRow> rows,
        CancellationToken cancellationToken
    )
    {
        var (columns, joined) = (ColumnsOf(db), new List<JoinedJob>());
        await using var copy = await ((NpgsqlConnection)db.Database.GetDbConnection()).BeginBinaryImportAsync(
            $"COPY jobs ({string.Join(", ", columns.Select(column => column.Name))}) FROM STDIN (FORMAT BINARY)",
            cancellationToken
        );
        copy.Timeout = TimeSpan.FromSeconds(db.Database.GetCommandTimeout() ?? 0);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(cancellationToken);
            foreach (var column in columns)
            {
                await (
                    column.Value(row) is { } value
                        ? copy.WriteAsync(value, column.Type, cancellationToken)
                        : copy.WriteNullAsync(cancellationToken)
                );
            }

            joined.Add(JoinedJob.Of(row));
        }

        await copy.CompleteAsync(cancellationToken);
        return joined;
    }

    /// <summary>Columns of the table, and what a row has for each as the store keeps it.</summary>
    private static IReadOnlyList<(string Name, string Type, Func<JobRow, object?> Value)> ColumnsOf(JobsDbContext db)
    {
        var properties = db.Model.FindEntityType(typeof(JobRow))!.GetProperties();
        return [.. properties.Select(property => (property.GetColumnName(), property.GetColumnType(), Reader(property)))];

        static Func<JobRow, object?> Reader(IProperty property)
        {
            var (member, stored) = (property.PropertyInfo!, property.GetTypeMapping().Converter);
            return row => member.GetValue(row) is { } value && stored is not null ? stored.ConvertToProvider(value) : member.GetValue(row);
        }
    }

    /// <summary>Rows that wait to be moved, and what is to be known of them.</summary>
    internal sealed class StagedJobs(JobsDbContext db) : IAsyncDisposable
    {
        private readonly List<JoinedJob> _jobs = [];

        /// <summary>With order keys as they were staged.</summary>
        public IReadOnlyList<JoinedJob> Jobs => _jobs;

        public ValueTask DisposeAsync() => new(ClearAsync(CancellationToken.None));

        internal void Add(JobRow row) => _jobs.Add(JoinedJob.Of(row));

        internal Task ClearAsync(CancellationToken cancellationToken) =>
            db.ExecuteAsync($"DROP TABLE IF EXISTS temp.{Staged}", cancellationToken);
    }
}
