namespace RenderFarm.Worker.Models;

/// <summary>Models on disk: 2400 to 2499.</summary>
internal static partial class ModelLog
{
    [LoggerMessage(2400, LogLevel.Warning, "{Manifest} describes model {Model}, which another folder holds already: skipped")]
    public static partial void ModelTwice(this ILogger log, string manifest, string model);

    [LoggerMessage(2401, LogLevel.Warning, "{Manifest} can't be read and its model is not offered: {Reason}")]
    public static partial void ManifestUnreadable(this ILogger log, string manifest, string reason);

    [LoggerMessage(2402, LogLevel.Warning, "Model {Model}: its {Component} is damaged, jobs with it will fail: {Reason}")]
    public static partial void ComponentDamaged(this ILogger log, string model, string component, string reason);
}
