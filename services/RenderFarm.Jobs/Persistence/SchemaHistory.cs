using Microsoft.EntityFrameworkCore;

namespace RenderFarm.Jobs.Persistence;

/// <summary>Which versions have worked on a database: what migrations it has been through.</summary>
internal static class SchemaHistory
{
    /// <summary>
    /// A schema that this version does not know is left alone. Besides those of newer versions, these are the ones made before
    /// the first release, whose migrations were then joined into one.
    /// </summary>
    /// <exception cref="StoreRefusedException">Names the database, the migration and what to do.</exception>
    public static async Task RequireKnownAsync(JobsDbContext db, CancellationToken cancellationToken)
    {
        var applied = await db.Database.GetAppliedMigrationsAsync(cancellationToken);
        if (applied.Except(db.Database.GetMigrations()).FirstOrDefault() is not { } stranger)
        {
            return;
        }

        var connection = db.Database.GetDbConnection();
        var name = ReferenceEquals(db.Dialect, SqlDialect.Postgres) ? connection.Database : connection.DataSource;
        throw new StoreRefusedException(
            $"the database {name} holds the migration {stranger}, which this version does not have: it was made before the first release, "
                + "or by a newer version. Move it away or name another one, and a new one is made; or run the version that made it."
        );
    }
}
