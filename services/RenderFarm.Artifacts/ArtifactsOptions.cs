using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Artifacts;

/// <summary>Settings under <c>Artifacts:</c>.</summary>
public sealed class ArtifactsOptions : ISettings, IValidatableObject
{
    public static string Section => "Artifacts";

    /// <summary><c>directory</c> (default) or <c>s3</c>.</summary>
    public ArtifactsKind Kind { get; set; } = ArtifactsKind.Directory;

    /// <summary>Folder of the directory store. Required for it.</summary>
    public string? Directory { get; set; }

    /// <summary>Where the S3 server listens: <c>http://host:port</c>. Required for <c>s3</c>, as are both keys.</summary>
    [Address("http://127.0.0.1:9000", WithoutPath = true)]
    public string? Endpoint { get; set; }

    [Secret]
    public string? AccessKey { get; set; }

    [Secret]
    public string? SecretKey { get; set; }
    public string Bucket { get; set; } = "renderfarm";

    /// <summary>Some servers refuse any location but this one.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>The endpoint as people outside reach it; presigned links point there. Default: <see cref="Endpoint"/>.</summary>
    [Address("http://127.0.0.1:9000", WithoutPath = true)]
    public string? PublicEndpoint { get; set; }

    /// <summary>The endpoint as workers reach it, who store and fetch by presigned links alone. Default: <see cref="Endpoint"/>.</summary>
    [Address("http://127.0.0.1:9000", WithoutPath = true)]
    public string? WorkerEndpoint { get; set; }

    internal string EndpointFor(LinkReach reach) =>
        (reach == LinkReach.Public ? PublicEndpoint : WorkerEndpoint) is { Length: > 0 } own ? own : Endpoint!;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Kind == ArtifactsKind.Directory
            ? Missing((nameof(Directory), Directory, "the folder to keep artifacts in"))
            : Missing(
                (nameof(Endpoint), Endpoint, "the S3 server, such as http://127.0.0.1:9000"),
                (nameof(AccessKey), AccessKey, "the S3 access key"),
                (nameof(SecretKey), SecretKey, "the S3 secret key"),
                (nameof(Bucket), Bucket, "the bucket's name"),
                (nameof(Region), Region, "the S3 region, usually us-east-1"));

    private IEnumerable<ValidationResult> Missing(params (string Key, string? Value, string Meaning)[] required) =>
        from setting in required
        where string.IsNullOrWhiteSpace(setting.Value)
        select new ValidationResult($"is missing: set it to {setting.Meaning} (Artifacts:Kind is '{Word.Of(Kind)}').", [setting.Key]);
}

[OptionsValidator]
public sealed partial class ArtifactsOptionsValidator : IValidateOptions<ArtifactsOptions>;
