using Microsoft.Extensions.Options;

namespace RenderFarm.Artifacts;

/// <summary>Settings under <c>Artifacts:</c>.</summary>
public sealed class ArtifactsOptions
{
    public const string Section = "Artifacts";

    /// <summary><c>directory</c> (default) or <c>s3</c>.</summary>
    public string Kind { get; set; } = "directory";

    /// <summary>Folder of the directory store. Required for it.</summary>
    public string? Directory { get; set; }

    /// <summary>Where the S3 server listens: <c>http://host:port</c>. Required for <c>s3</c>, as are both keys.</summary>
    public string? Endpoint { get; set; }
    public string? AccessKey { get; set; }
    public string? SecretKey { get; set; }
    public string Bucket { get; set; } = "renderfarm";

    /// <summary>Some servers refuse any location but this one.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>The endpoint as people outside reach it; presigned links point there. Default: <see cref="Endpoint"/>.</summary>
    public string? PublicEndpoint { get; set; }
}

/// <summary>Says which key is wrong and what it may be.</summary>
public sealed class ArtifactsOptionsValidator : IValidateOptions<ArtifactsOptions>
{
    public ValidateOptionsResult Validate(string? name, ArtifactsOptions options)
    {
        List<string> faults = [];
        switch (options.Kind)
        {
            case "directory":
                Required("Directory", options.Directory, "the folder to keep artifacts in");
                break;
            case "s3":
                Required("AccessKey", options.AccessKey, "the S3 access key");
                Required("SecretKey", options.SecretKey, "the S3 secret key");
                Required("Bucket", options.Bucket, "the bucket's name");
                Required("Region", options.Region, "the S3 region, usually us-east-1");
                if (Required("Endpoint", options.Endpoint, "the S3 server, such as http://127.0.0.1:9000"))
                {
                    Address("Endpoint", options.Endpoint!);
                }

                if (!string.IsNullOrEmpty(options.PublicEndpoint))
                {
                    Address("PublicEndpoint", options.PublicEndpoint);
                }

                break;
            default:
                faults.Add($"Artifacts:Kind is '{options.Kind}': it must be 'directory' or 's3'");
                break;
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        bool Required(string key, string? value, string meaning)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                return true;
            }

            faults.Add($"Artifacts:{key} is missing: set it to {meaning} (Artifacts:Kind is '{options.Kind}')");
            return false;
        }

        void Address(string key, string value)
        {
            if (Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.AbsolutePath == "/")
            {
                return;
            }

            faults.Add($"Artifacts:{key} is '{value}': it must be an address such as http://127.0.0.1:9000, without a path");
        }
    }
}
