using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Hosting.Settings;

/// <summary>
/// An address that Kestrel can listen on: <c>http://HOST:PORT</c>, with <c>*</c> for every interface. Nothing at all is allowed.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListenAddressAttribute : ValidationAttribute
{
    /// <summary>Whether <c>https://</c> will do as well.</summary>
    public bool MayBeTls { get; init; }

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        var text = (string?)value ?? "";
        return text.Length == 0 || (Uri.TryCreate(Checkable(text), UriKind.Absolute, out var uri) && IsListener(uri))
            ? ValidationResult.Success
            : new ValidationResult(
                $"is '{text}': it must be an address to listen on, such as http://127.0.0.1:8080, or http://*:8080 for every interface.",
                [validationContext.MemberName!]);
    }

    /// <summary>No address has a star in it; localhost stands for every interface.</summary>
    internal static string Checkable(string address) =>
        address.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal);

    /// <summary>For any other name Kestrel would listen on every interface.</summary>
    private bool IsListener(Uri uri) =>
        uri.AbsolutePath == "/"
        && (uri.Scheme == Uri.UriSchemeHttp || (MayBeTls && uri.Scheme == Uri.UriSchemeHttps))
        && (uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 || uri.Host == "localhost");
}
