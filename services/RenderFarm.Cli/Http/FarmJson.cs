using System.Text.Json;
using System.Text.Json.Serialization;

namespace RenderFarm.Cli.Http;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VideoRequest))]
[JsonSerializable(typeof(Video))]
[JsonSerializable(typeof(VideoList))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(KeysFile))]
internal sealed partial class FarmJson : JsonSerializerContext;
