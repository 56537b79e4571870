using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Events;

/// <summary>Something happened to a job. Published to the topic exchange with routing key <c>video.{status}.{model}</c>.</summary>
/// <param name="Type"><c>video.queued</c>, <c>video.started</c>, <c>video.completed</c>, <c>video.failed</c>, <c>video.cancelled</c>.</param>
public sealed record VideoEvent(string Id, string Type, string JobId, JobState State, DateTimeOffset OccurredAt);
