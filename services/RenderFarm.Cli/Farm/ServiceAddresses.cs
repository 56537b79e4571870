using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Cli.Farm;

/// <summary>The three servers of a farm that is not embedded.</summary>
/// <param name="Postgres">Npgsql connection string.</param>
/// <param name="Rabbit"><c>amqp://user:password@host:port/vhost</c>.</param>
/// <param name="S3"><c>http://accesskey:secret@host:port/bucket</c>; the bucket defaults to <c>renderfarm</c>.</param>
internal sealed record ServiceAddresses(string Postgres, Uri Rabbit, Uri S3)
{
    /// <summary>Each from its option, else from the settings that API and worker read themselves.</summary>
    /// <exception cref="FarmException">One is missing or can't be read; names the option and the variable.</exception>
    public static ServiceAddresses From(string? postgres, string? rabbit, string? s3, Func<string, string?> environment)
    {
        postgres ??= environment("Store__ConnectionString");
        if (string.IsNullOrWhiteSpace(postgres))
        {
            throw Missing("--postgres", "Store__ConnectionString", "Host=127.0.0.1;Username=farm;Password=…;Database=farm");
        }

        rabbit ??= environment("Bus__Uri");
        if (string.IsNullOrWhiteSpace(rabbit))
        {
            throw Missing("--rabbitmq", "Bus__Uri", "amqp://user:password@127.0.0.1:5672/");
        }

        s3 ??= FromParts(environment);
        if (string.IsNullOrWhiteSpace(s3))
        {
            throw Missing(
                "--s3",
                "Artifacts__Endpoint, Artifacts__AccessKey and Artifacts__SecretKey",
                "http://accesskey:secret@127.0.0.1:9000/bucket"
            );
        }

        return new ServiceAddresses(postgres, Address("--rabbitmq", rabbit, "amqp", "amqps"), Address("--s3", s3, "http", "https"));
    }

    /// <summary>The broker, which API and worker both speak to.</summary>
    public IReadOnlyDictionary<string, string> BusSettings() =>
        new Dictionary<string, string> { ["Bus__Kind"] = Word.Of(BusKind.RabbitMq), ["Bus__Uri"] = Rabbit.OriginalString };

    /// <summary>The object store, whose keys are the API's alone.</summary>
    public IReadOnlyDictionary<string, string> ArtifactsSettings()
    {
        var (user, secret) = S3.UserInfo.Split(':', 2) is [var name, var password] ? (name, password) : (S3.UserInfo, "");
        var bucket = S3.AbsolutePath.Trim('/');
        return new Dictionary<string, string>
        {
            ["Artifacts__Kind"] = Word.Of(ArtifactsKind.S3),
            ["Artifacts__Endpoint"] =
                S3.GetLeftPart(UriPartial.Scheme) + S3.Authority[(S3.Authority.IndexOf('@', StringComparison.Ordinal) + 1)..],
            ["Artifacts__AccessKey"] = Uri.UnescapeDataString(user),
            ["Artifacts__SecretKey"] = Uri.UnescapeDataString(secret),
            ["Artifacts__Bucket"] = bucket.Length > 0 ? bucket : "renderfarm",
        };
    }

    private static string? FromParts(Func<string, string?> environment)
    {
        if (environment("Artifacts__Endpoint") is not { Length: > 0 } endpoint || !Uri.TryCreate(endpoint, UriKind.Absolute, out var uri))
        {
            return null;
        }

        var (key, secret) = (environment("Artifacts__AccessKey") ?? "", environment("Artifacts__SecretKey") ?? "");
        var user = $"{Uri.EscapeDataString(key)}:{Uri.EscapeDataString(secret)}";
        return $"{uri.Scheme}://{user}@{uri.Authority}/{environment("Artifacts__Bucket")}";
    }

    private static Uri Address(string option, string value, params string[] schemes) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && schemes.Contains(uri.Scheme)
            ? uri
            : throw new FarmException(
                "invalid_option",
                $"{option}: not an address that begins with {string.Join(" or ", schemes.Select(s => s + "://"))}"
            );

    private static FarmException Missing(string option, string variable, string example) =>
        new("missing_option", $"--farm needs {option} (or {variable} in the environment), such as: {option} '{example}'");
}
