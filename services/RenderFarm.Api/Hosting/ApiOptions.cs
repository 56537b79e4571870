using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Hosting;

/// <summary>Settings under <c>Api:</c>.</summary>
internal sealed class ApiOptions : ISettings, IValidatableObject
{
    public static string Section => "Api";

    /// <summary>Where the public interface and <c>/worker/v1</c> listen.</summary>
    [ListenAddress]
    public string Url { get; set; } = "http://127.0.0.1:8080";

    /// <summary>
    /// Networks of the proxies in front, in CIDR form: <c>Api:TrustedProxies:0 = 10.0.0.7/32</c>. Only these may say, in
    /// <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c>, whom a request comes from; without them a limit of an address is that of
    /// whoever connects. Default: none.
    /// </summary>
    public List<string> TrustedProxies { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
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

[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
