using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Outbound;

/// <summary>Settings under <c>Outbound:</c>: where the farm may connect to when a user names the address (pictures, webhooks).</summary>
internal sealed class OutboundOptions : ISettings, IValidatableObject
{
    public static string Section => "Outbound";

    /// <summary>
    /// Networks that are allowed although they are not public, in CIDR form: <c>Outbound:AllowedNetworks:0 = 10.20.0.0/16</c>.
    /// Default: none.
    /// </summary>
    public List<string> AllowedNetworks { get; set; } = [];

    public IReadOnlyList<IPNetwork> Networks => [.. AllowedNetworks.Select(IPNetwork.Parse)];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (text, i) in AllowedNetworks.Select((text, i) => (text, i)))
        {
            if (!IPNetwork.TryParse(text, out _))
            {
                yield return new ValidationResult(
                    $"Outbound:AllowedNetworks:{i} is '{text}'; a network such as 10.20.0.0/16 or fd00::/8 is expected."
                );
            }
        }
    }
}

[OptionsValidator]
internal sealed partial class OutboundOptionsValidator : IValidateOptions<OutboundOptions>;
