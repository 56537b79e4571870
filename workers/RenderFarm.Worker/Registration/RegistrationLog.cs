namespace RenderFarm.Worker.Registration;

/// <summary>Registration with the API: 1200 to 1299.</summary>
internal static partial class RegistrationLog
{
    [LoggerMessage(1200, LogLevel.Information, "Registered as {Worker} ({Name}) with slots {Slots} and models {Models}")]
    public static partial void Registered(
        this ILogger log,
        string worker,
        string name,
        IEnumerable<string> slots,
        IEnumerable<string> models
    );

    [LoggerMessage(1201, LogLevel.Warning, "Not registered yet, next try in {Seconds:0.0} s: {Reason}")]
    public static partial void NotRegistered(this ILogger log, double seconds, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "The farm has not heard that this worker ends, and will miss it: {Reason}")]
    public static partial void GoodbyeUnheard(this ILogger log, string reason);
}
