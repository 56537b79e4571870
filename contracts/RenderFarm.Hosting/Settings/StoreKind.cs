using System.ComponentModel;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary><c>Store:Kind</c>: where jobs are kept.</summary>
[TypeConverter(typeof(SettingWordConverter<StoreKind>))]
public enum StoreKind
{
    /// <summary>A file, for one API process.</summary>
    [JsonStringEnumMemberName("sqlite")]
    Sqlite,

    [JsonStringEnumMemberName("postgres")]
    Postgres,
}
