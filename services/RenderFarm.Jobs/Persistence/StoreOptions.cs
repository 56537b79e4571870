using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Jobs.Persistence;

/// <summary>Settings under <c>Store:</c>.</summary>
public sealed class StoreOptions
{
    public const string Section = "Store";

    /// <summary><c>sqlite</c> (one API process, a file) or <c>postgres</c>.</summary>
    [RegularExpression("sqlite|postgres", ErrorMessage = "Store:Kind must be sqlite or postgres.")]
    public string Kind { get; set; } = "sqlite";

    /// <summary>For sqlite <c>Data Source=PATH</c>; for postgres an Npgsql connection string.</summary>
    [Required(ErrorMessage = "Store:ConnectionString must name the database, such as \"Data Source=farm.db\" or \"Host=...;Database=...\".")]
    public string ConnectionString { get; set; } = "";

    /// <summary>Rows of jobs without a result, or whose result is gone, are removed so many days after the job ended.</summary>
    [Range(1, 36_500, ErrorMessage = "Store:KeepDays must be a number of days from 1 to 36500.")]
    public double KeepDays { get; set; } = 90;
}
