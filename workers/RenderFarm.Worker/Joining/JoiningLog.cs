namespace RenderFarm.Worker.Joining;

/// <summary>Joining a farm: 2800 to 2899.</summary>
internal static partial class JoiningLog
{
    [LoggerMessage(2800, LogLevel.Information, "Joined to the farm at {Farm} as worker {Worker}; work comes {Way}")]
    public static partial void Joined(this ILogger log, string farm, string worker, string way);

    [LoggerMessage(2801, LogLevel.Warning, "The farm at {Farm} does not take this host yet, next try in {Seconds:0.0} s: {Reason}")]
    public static partial void NotJoined(this ILogger log, string farm, double seconds, string reason);

    [LoggerMessage(2802, LogLevel.Information, "There is no invitation at {File} (Keys:InvitationFile) yet, next look in {Seconds:0.0} s")]
    public static partial void NotInvited(this ILogger log, string file, double seconds);
}
