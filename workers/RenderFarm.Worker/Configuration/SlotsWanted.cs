using System.ComponentModel;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Worker.Configuration;

/// <summary><c>Worker:Slots</c>: what this worker renders on.</summary>
[TypeConverter(typeof(SettingWordConverter<SlotsWanted>))]
internal enum SlotsWanted
{
    /// <summary>A slot for each card, or the CPU where there is none.</summary>
    [JsonStringEnumMemberName("auto")]
    Auto,

    /// <summary>One CPU slot.</summary>
    [JsonStringEnumMemberName("cpu")]
    Cpu,
}
