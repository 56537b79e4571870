using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;

namespace RenderFarm.Jobs.Persistence;

/// <summary>JSON inside the tables that is not on any wire; the same dialect as <see cref="Contracts.Json.ContractsJson"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(StoredInput[]))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(SlotDescription[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(ModelRegistration))]
[JsonSerializable(typeof(ModelFile[]))]
internal sealed partial class JobsJson : JsonSerializerContext;
