using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace RenderFarm.Jobs.Persistence;

/// <summary>The conditional statements that LINQ has no words for, on the context's connection and in its transaction.</summary>
internal static class Statements
{
    public static async Task<int> ExecuteAsync(
        this JobsDbContext db,
        string sql,
        CancellationToken cancellationToken,
        params (string Name, object? Value)[] arguments
    )
    {
        await using var command = await CommandAsync(db, sql, arguments, cancellationToken);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>All rows of a query or a RETURNING clause.</summary>
    public static async Task<List<T>> RowsAsync<T>(
        this JobsDbContext db,
        string sql,
        Func<DbDataReader, T> read,
        CancellationToken cancellationToken,
        params (string Name, object? Value)[] arguments
    )
    {
        await using var command = await CommandAsync(db, sql, arguments, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    public static string? TextOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static double? DoubleOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetDouble(column);

    public static int? IntOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt32(column);

    private static async Task<DbCommand> CommandAsync(
        JobsDbContext db,
        string sql,
        (string Name, object? Value)[] arguments,
        CancellationToken cancellationToken
    )
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        if (db.Database.GetCommandTimeout() is { } seconds)
        {
            command.CommandTimeout = seconds;
        }

        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        foreach (var (name, value) in arguments)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            // PostgreSQL's text can't hold NUL, and what crashed programs leave in their logs does
            parameter.Value = value is string text ? text.Replace("\0", "", StringComparison.Ordinal) : value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
