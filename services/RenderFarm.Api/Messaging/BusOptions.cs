using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Api.Messaging;

/// <summary>Settings under <c>Bus:</c>.</summary>
internal sealed class BusOptions : IValidatableObject
{
    public const string Section = "Bus";

    /// <summary><c>none</c> (default: long polls only) or <c>rabbitmq</c>.</summary>
    public string Kind { get; set; } = "none";

    /// <summary><c>amqp://user:password@host:port/vhost</c>. Required for <c>rabbitmq</c>.</summary>
    public string Uri { get; set; } = "";

    public bool IsRabbitMq => Kind == "rabbitmq";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Kind is not ("none" or "rabbitmq"))
        {
            yield return new ValidationResult($"Bus:Kind is '{Kind}': it must be 'none' or 'rabbitmq'.");
        }
        else if (IsRabbitMq && !(System.Uri.TryCreate(Uri, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps"))
        {
            // The value is left out: it may hold a password.
            yield return new ValidationResult(
                "Bus:Uri must be of the form amqp://user:password@host:port/vhost when Bus:Kind is 'rabbitmq'."
            );
        }
    }
}
