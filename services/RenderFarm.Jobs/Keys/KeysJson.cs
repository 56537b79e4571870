using System.Text.Json.Serialization;

namespace RenderFarm.Jobs.Keys;

/// <summary>The bootstrap file.</summary>
[JsonSerializable(typeof(BootstrapKeys))]
internal sealed partial class KeysJson : JsonSerializerContext;
