namespace RenderFarm.Jobs.Persistence;

/// <summary>Which jobs a statement is about: a condition of their rows, and its one argument.</summary>
internal readonly record struct JobsWhere(string Sql, (string Name, object? Value) Argument)
{
    public static JobsWhere One(string id) => new("id = @id", ("id", id));

    public static JobsWhere OfBatch(string batchId) => new("batch_id = @batch", ("batch", batchId));

    public static JobsWhere Among(SqlDialect dialect, IReadOnlyCollection<string> ids) =>
        new(dialect.IsOneOf("id", "@ids"), ("ids", dialect.List(ids)));
}
