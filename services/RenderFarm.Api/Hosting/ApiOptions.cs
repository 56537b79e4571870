using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Hosting;

/// <summary>Settings under <c>Api:</c>.</summary>
internal sealed class ApiOptions : ISettings, IValidatableObject
{
    public static string Section => "Api";

    /// <summary>Where the public interface and <c>/worker/v1</c> listen; with <see cref="Tls"/>, <c>https://…</c>.</summary>
    [ListenAddress(MayBeTls = true)]
    public string Url { get; set; } = "http://127.0.0.1:8080";

    /// <summary>
    /// Where other machines reach the API: what invitations name. Empty: wherever the request for an invitation came to.
    /// </summary>
    [Address("https://farm.example.org:8080", WithoutPath = true)]
    public string PublicUrl { get; set; } = "";

    public ApiTls Tls { get; set; } = new();

    /// <summary>
    /// Networks of the proxies in front, in CIDR form: <c>Api:TrustedProxies:0 = 10.0.0.7/32</c>. Only these may say, in
    /// <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c>, whom a request comes from; without them a limit of an address is that of
    /// whoever connects. Default: none.
    /// </summary>
    public List<string> TrustedProxies { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var isTls = Url.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
        if ((Tls.Certificate.Length == 0) != (Tls.Key.Length == 0))
        {
            yield return new ValidationResult("needs both Api:Tls:Certificate and Api:Tls:Key, two PEM files, or neither.", [nameof(Tls)]);
        }
        else if (isTls != Tls.Certificate.Length > 0)
        {
            yield return new ValidationResult(
                isTls
                    ? $"is '{Url}': https needs Api:Tls:Certificate and Api:Tls:Key."
                    : $"is '{Url}': with Api:Tls:Certificate it must begin with https://.",
                [nameof(Url)]
            );
        }

        foreach (var (text, i) in TrustedProxies.Select((text, i) => (text, i)))
        {
            if (!IPNetwork.TryParse(text, out _))
            {
                yield return new ValidationResult(
                    $"Api:TrustedProxies:{i} is '{text}'; a network such as 10.0.0.7/32 or fd00::/8 is expected."
                );
            }
        }
    }
}

/// <summary>The API's certificate, as two PEM files. A certificate that is renewed in place is taken up by itself.</summary>
internal sealed class ApiTls
{
    /// <summary>The certificate, and after it those that signed it.</summary>
    public string Certificate { get; set; } = "";

    public string Key { get; set; } = "";
}

[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
