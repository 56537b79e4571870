using System.Text.Json.Serialization;

namespace RenderFarm.Jobs.Webhooks;

/// <summary>The log of a delivery, as its row holds it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(DeliveryTry[]))]
internal sealed partial class DeliveryJson : JsonSerializerContext;
