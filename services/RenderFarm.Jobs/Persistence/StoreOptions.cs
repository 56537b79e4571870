using System.ComponentModel.DataAnnotations;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace RenderFarm.Jobs.Persistence;

/// <summary>Settings under <c>Store:</c>.</summary>
public sealed class StoreOptions : IValidatableObject
{
    public const string Section = "Store";

    /// <summary><c>sqlite</c> (one API process, a file) or <c>postgres</c>.</summary>
    [RegularExpression("sqlite|postgres", ErrorMessage = "Store:Kind must be sqlite or postgres.")]
    public string Kind { get; set; } = "sqlite";

    /// <summary>For sqlite <c>Data Source=PATH</c>; for postgres an Npgsql connection string.</summary>
    [Required(
        ErrorMessage = "Store:ConnectionString must name the database, such as \"Data Source=farm.db\" or \"Host=...;Database=...\"."
    )]
    public string ConnectionString { get; set; } = "";

    /// <summary>Rows of jobs without a result, or whose result is gone, are removed so many days after the job ended.</summary>
    [Range(1, 36_500, ErrorMessage = "Store:KeepDays must be a number of days from 1 to 36500.")]
    public double KeepDays { get; set; } = 90;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Fault() is { } fault)
        {
            yield return new ValidationResult($"Store:ConnectionString for {Kind}: {fault}");
        }
    }

    /// <summary>The value itself is left out: it may hold a password.</summary>
    private string? Fault()
    {
        try
        {
            return Kind == "postgres"
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
