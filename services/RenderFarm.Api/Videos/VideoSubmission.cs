using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Models;
using RenderFarm.Api.Plans;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Videos;

/// <summary>A valid request becomes a row: defaults filled in, least memory planned, repeats recognised. The door does not matter.</summary>
public sealed class VideoSubmission(
    JobStore jobs, WorkerRegistry workers, FarmMetrics metrics, IOptions<VideosOptions> options, TimeProvider time)
{
    private const string Action = "videos.create";
    private const int DefaultPriority = 50;

    /// <summary>Returns after the commit: what was answered is never lost.</summary>
    /// <exception cref="ApiErrorException">The request can't be a job.</exception>
    public async Task<Job> SubmitAsync(VideoRequest request, ApiKey caller, RepeatMarks repeat, CancellationToken cancel)
    {
        RefuseNotBuilt(request);
        var name = options.Value.Resolve(request.Model);
        var model = await workers.ModelAsync(name, cancel);
        var spec = RenderSpecs.Complete(request, model, NewSeed());
        var priority = request.Priority ?? Math.Min(DefaultPriority, caller.PriorityCeiling);
        if (priority > caller.PriorityCeiling)
        {
            throw ApiError.PriorityAboveCeiling(caller.PriorityCeiling).AsException();
        }

        var need = LeastMemory.Of(model, spec);
        var result = await jobs.SubmitAsync(
            new NewJob
            {
                Id = JobIds.New(time),
                KeyId = caller.Id,
                Spec = spec,
                Priority = priority,
                VramClass = need.VramClass,
                LeastVramBytes = need.Bytes,
                EstimatedSeconds = need.EstimatedSeconds,
                MaxAttempts = request.MaxAttempts ?? 3,
                IdempotencyKey = repeat.IdempotencyKey,
                RequestHash = RequestDigest.Of(Action, request),
                IsClientRetry = repeat.IsClientRetry,
                Metadata = request.Metadata,
                WebhookUrl = request.WebhookUrl,
                ExpiresAfter = request.ExpiresAfter,
                TraceParent = Activity.Current?.Id,
            },
            cancel);
        switch (result)
        {
            case SubmitResult.Conflict:
                metrics.Submitted(spec.Model, "conflict");
                throw ApiError.IdempotencyConflict().AsException();
            case SubmitResult.Existing:
                metrics.Submitted(spec.Model, "repeat");
                return result.Job;
            default:
                metrics.Submitted(spec.Model, "created");
                return result.Job;
        }
    }

    /// <summary>What would be read, kept and then silently left out is refused instead.</summary>
    private static void RefuseNotBuilt(VideoRequest request)
    {
        if (request.Loras.Count > 0)
        {
            throw (ApiError.NotSupported("Rendering with LoRAs is not built yet; leave 'loras' out.") with { Param = "loras" }).AsException();
        }

        if (request.WebhookUrl is not null)
        {
            throw (ApiError.NotSupported("Webhooks are not delivered yet; leave 'webhook_url' out and ask GET /v1/videos/{id}.") with { Param = "webhook_url" }).AsException();
        }
    }

    /// <summary>Below 2^32: exact in every client's number type, and short enough to be read out.</summary>
    private static long NewSeed() => RandomNumberGenerator.GetInt32(int.MaxValue) * 2L + RandomNumberGenerator.GetInt32(2);
}
