using System.ComponentModel;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary><c>Bus:Kind</c>: what carries bells, cancellations and events between processes.</summary>
[TypeConverter(typeof(SettingWordConverter<BusKind>))]
public enum BusKind
{
    /// <summary>The long poll alone brings work.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    [JsonStringEnumMemberName("rabbitmq")]
    RabbitMq,
}
