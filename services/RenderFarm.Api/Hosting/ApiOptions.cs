using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Api.Hosting;

/// <summary>Settings under <c>Api:</c>.</summary>
internal sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>Where the public interface and <c>/worker/v1</c> listen.</summary>
    [ListenAddress("Api:Url")]
    public string Url { get; set; } = "http://127.0.0.1:8080";
}

/// <summary>Settings under <c>Metrics:</c>.</summary>
internal sealed class MetricsOptions
{
    public const string Section = "Metrics";

    /// <summary>A port of its own for <c>/metrics</c>; empty (default) serves it at <c>Api:Url</c>.</summary>
    [ListenAddress("Metrics:Url")]
    public string Url { get; set; } = "";

    public int? Port =>
        Url.Length == 0
            ? null
            : new Uri(Url.Replace("*", "localhost", StringComparison.Ordinal).Replace("+", "localhost", StringComparison.Ordinal)).Port;
}

/// <summary>An address that Kestrel can listen on: <c>http://HOST:PORT</c>, with <c>*</c> for every interface.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ListenAddressAttribute(string key) : ValidationAttribute
{
    public string Key { get; } = key;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        var text = (string?)value ?? "";
        var checkable = text.Replace("://*", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal);
        return
            text.Length == 0
            || (Uri.TryCreate(checkable, UriKind.Absolute, out var uri) && uri.Scheme is "http" && uri.AbsolutePath == "/" && IsOurs(uri))
            ? ValidationResult.Success
            : new ValidationResult(
                $"{Key} is '{text}': it must be an address to listen on, such as http://127.0.0.1:8080, or http://*:8080 for every "
                    + "interface."
            );
    }

    /// <summary>For any other name Kestrel would listen on every interface.</summary>
    private static bool IsOurs(Uri uri) => uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 || uri.Host == "localhost";
}
