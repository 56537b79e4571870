using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RenderFarm.Hosting.Settings;

/// <summary>Settings under <c>Bus:</c>.</summary>
public sealed class BusOptions : ISettings, IValidatableObject
{
    public static string Section => "Bus";

    /// <summary><c>none</c> (default) or <c>rabbitmq</c>. Without a broker the long poll alone brings work.</summary>
    public BusKind Kind { get; set; } = BusKind.None;

    /// <summary><c>amqp://user:password@host:port/vhost</c>. Required for <c>rabbitmq</c>.</summary>
    public string Uri { get; set; } = "";

    public bool IsRabbitMq => Kind == BusKind.RabbitMq;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsRabbitMq && !(System.Uri.TryCreate(Uri, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps"))
        {
            // The value is left out: it may hold a password.
            yield return new ValidationResult(
                "must be of the form amqp://user:password@host:port/vhost when Bus:Kind is 'rabbitmq'.", [nameof(Uri)]);
        }
    }
}

[OptionsValidator]
public sealed partial class BusOptionsValidator : IValidateOptions<BusOptions>;
