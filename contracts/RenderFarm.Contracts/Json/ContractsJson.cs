using System.Text.Json.Serialization;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Json;

/// <summary>
/// The one JSON dialect of the farm: snake_case names, enums as words, nulls left out, unknown members ignored.
/// Source-generated, so that a trimmed renderer speaks it too. The generator fills every <c>init</c> property, with
/// nothing where the JSON is silent: a property with a default of its own therefore has a <c>set</c>.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(RenderSpec))]
[JsonSerializable(typeof(RenderPlan))]
[JsonSerializable(typeof(PlanPins))]
[JsonSerializable(typeof(ModelShape))]
[JsonSerializable(typeof(ModelRegistration))]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(CardCalibration))]
[JsonSerializable(typeof(CalibrationRecord))]
[JsonSerializable(typeof(DeviceProbe))]
[JsonSerializable(typeof(EnrollRequest))]
[JsonSerializable(typeof(EnrollReply))]
[JsonSerializable(typeof(RegisterWorkerRequest))]
[JsonSerializable(typeof(RegisterWorkerReply))]
[JsonSerializable(typeof(LeaseRequest))]
[JsonSerializable(typeof(GoodbyeRequest))]
[JsonSerializable(typeof(GoodbyeReply))]
[JsonSerializable(typeof(LeaseGrant))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(RenewReply))]
[JsonSerializable(typeof(ProgressReport))]
[JsonSerializable(typeof(ProgressReply))]
[JsonSerializable(typeof(CompleteRequest))]
[JsonSerializable(typeof(FailRequest))]
[JsonSerializable(typeof(ReleaseRequest))]
[JsonSerializable(typeof(LeaseOutcome))]
[JsonSerializable(typeof(UploadRequest))]
[JsonSerializable(typeof(UploadReply))]
[JsonSerializable(typeof(UploadCompleteRequest))]
[JsonSerializable(typeof(UploadedObject))]
[JsonSerializable(typeof(Measurements))]
[JsonSerializable(typeof(Artifact[]))]
[JsonSerializable(typeof(LoraReference[]))]
[JsonSerializable(typeof(JobQueued))]
[JsonSerializable(typeof(CancelAttempt))]
[JsonSerializable(typeof(RenderOrder))]
[JsonSerializable(typeof(RendererReport))]
[JsonSerializable(typeof(HostCheck[]))]
[JsonSerializable(typeof(Dictionary<string, string>))]
public sealed partial class ContractsJson : JsonSerializerContext;
