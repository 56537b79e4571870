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
    [Secret]
    public string Uri { get; set; } = "";

    /// <summary>
    /// The broker's management interface, <c>http://user:password@host:port</c>, by which the API makes a user for every worker that
    /// joins. Empty: workers that join work by long poll alone.
    /// </summary>
    [Secret]
    public string ManagementUri { get; set; } = "";

    /// <summary>
    /// Where workers reach the broker, <c>amqp://host:port</c>, when that is not where the API does. No user is taken from it.
    /// </summary>
    [Secret]
    public string WorkerUri { get; set; } = "";

    public bool IsRabbitMq => Kind == BusKind.RabbitMq;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsRabbitMq && !IsBroker(Uri))
        {
            // The value is left out: it may hold a password.
            yield return new ValidationResult(
                "must be of the form amqp://user:password@host:port/vhost when Bus:Kind is 'rabbitmq'.", [nameof(Uri)]);
        }

        if (ManagementUri.Length > 0 && !IsManagement(ManagementUri))
        {
            yield return new ValidationResult("must be of the form http://user:password@host:port.", [nameof(ManagementUri)]);
        }

        if (WorkerUri.Length > 0 && !IsBroker(WorkerUri))
        {
            yield return new ValidationResult("must be of the form amqp://host:port.", [nameof(WorkerUri)]);
        }
    }

    private static bool IsBroker(string text) =>
        System.Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps";

    private static bool IsManagement(string text) =>
        System.Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https"
        && uri.UserInfo.Contains(':', StringComparison.Ordinal);
}

[OptionsValidator]
public sealed partial class BusOptionsValidator : IValidateOptions<BusOptions>;
