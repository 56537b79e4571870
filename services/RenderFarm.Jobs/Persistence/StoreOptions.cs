using System.ComponentModel.DataAnnotations;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Npgsql;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Jobs.Persistence;

/// <summary>Settings under <c>Store:</c>.</summary>
public sealed class StoreOptions : ISettings, IValidatableObject
{
    public static string Section => "Store";

    /// <summary><c>sqlite</c> (one API process, a file) or <c>postgres</c>.</summary>
    public StoreKind Kind { get; set; } = StoreKind.Sqlite;

    /// <summary>For sqlite <c>Data Source=PATH</c>; for postgres an Npgsql connection string.</summary>
    [Required(ErrorMessage = "must name the database, such as \"Data Source=farm.db\" or \"Host=...;Database=...\".")]
    [Secret]
    public string ConnectionString { get; set; } = "";

    /// <summary>Rows of jobs without a result, or whose result is gone, are removed so many days after the job ended.</summary>
    [Between(1, 36_500)]
    public double KeepDays { get; set; } = 90;

    /// <summary>The database's file; null where it is none.</summary>
    public string? File =>
        Kind == StoreKind.Sqlite
        && new SqliteConnectionStringBuilder(ConnectionString) is { Mode: not SqliteOpenMode.Memory, DataSource: var file }
            ? file
            : null;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // A missing string has its own line.
        if (ConnectionString.Length > 0 && Fault() is { } fault)
        {
            yield return new ValidationResult($"for {Word.Of(Kind)}: {fault}", [nameof(ConnectionString)]);
        }
    }

    /// <summary>The value itself is left out: it may hold a password.</summary>
    private string? Fault()
    {
        try
        {
            return Kind == StoreKind.Postgres
                ? string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(ConnectionString).Host)
                    ? "it must name the server, such as \"Host=...;Database=...\"."
                    : null
                : string.IsNullOrWhiteSpace(new SqliteConnectionStringBuilder(ConnectionString).DataSource)
                    ? "it must name the file, such as \"Data Source=farm.db\"."
                    : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return e.Message;
        }
    }
}

[OptionsValidator]
public sealed partial class StoreOptionsValidator : IValidateOptions<StoreOptions>;
