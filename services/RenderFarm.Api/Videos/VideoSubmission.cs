using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Inputs;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Models;
using RenderFarm.Api.Outbound;
using RenderFarm.Api.Tracing;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary>
/// A valid request becomes a row: defaults filled in, least memory planned, repeats recognised. The door does not matter.
/// </summary>
internal sealed class VideoSubmission(
    JobStore jobs,
    ModelDirectory models,
    PictureIntake pictures,
    OutboundGuard guard,
    FarmMetrics metrics,
    IOptions<VideosOptions> options,
    TimeProvider time
)
{
    private const string Action = "videos.create";
    private const int DefaultPriority = 50;

    /// <summary>Returns after the commit: what was answered is never lost.</summary>
    /// <exception cref="ApiErrorException">The request can't be a job.</exception>
    public async Task<Job> SubmitAsync(VideoRequest request, ApiKey caller, RepeatMarks repeat, CancellationToken cancellationToken)
    {
        using var span = JobSpans.Enqueue();
        var (job, model) = await JudgeAsync(request, caller, repeat, cancellationToken);
        if (!request.HasPictures)
        {
            return Answer(await jobs.SubmitAsync(job, cancellationToken), caller);
        }

        // Before any picture is fetched: the second try of a request must not depend on a link that worked for the first.
        if (await jobs.EarlierAsync(job, cancellationToken) is { } earlier)
        {
            return Answer(earlier, caller);
        }

        using var opened = await pictures.OpenAsync(request.InputReference, request.LastFrame, cancellationToken);
        if (opened.FirstFrame is { } seen)
        {
            var spec = RenderSpecs.Complete(request, model.Shape, job.Spec.Seed, new FrameSize(seen.Width, seen.Height), job.Spec.Quality);
            job = NewJobOf(request, caller, repeat, spec, LeastMemory.Of(model, spec, hasImage: true));
        }

        return await SubmitAsync(job, await pictures.StoreAsync(opened, job.Id, cancellationToken), caller, cancellationToken);
    }

    /// <summary>A line of a batch: judged as a request by itself, taken with the others.</summary>
    /// <exception cref="ApiErrorException">The line can't be a job.</exception>
    public async Task<NewJob> LineAsync(VideoRequest request, ApiKey caller, CancellationToken cancellationToken)
    {
        if (request.HasPictures)
        {
            var field = request.InputReference is not null ? "input_reference" : "last_frame";
            throw ApiError
                .InvalidValue(field, $"'{field}' can't be part of a batch; submit videos with pictures by POST /v1/videos.")
                .AsException();
        }

        return (await JudgeAsync(request, caller, new RepeatMarks(null, IsClientRetry: false), cancellationToken)).Job;
    }

    /// <summary>The same video with another prompt, seed and pictures included, as a video of its own.</summary>
    public async Task<Job> RemixAsync(Job source, string prompt, ApiKey caller, RepeatMarks repeat, CancellationToken cancellationToken)
    {
        using var span = JobSpans.Enqueue();
        var job = new NewJob
        {
            Id = JobIds.New(time),
            KeyId = caller.Id,
            Spec = source.Spec with { Prompt = prompt },
            Priority = Math.Min(source.Priority, caller.PriorityCeiling),
            VramClass = source.VramClass,
            LeastVramBytes = source.LeastVramBytes,
            EstimatedSeconds = source.EstimatedSeconds,
            MaxAttempts = source.MaxAttempts,
            IdempotencyKey = repeat.IdempotencyKey,
            RequestHash = RequestDigest.Of("videos.remix " + source.Id, new VideoRequest { Prompt = prompt }, repeat.Boundary),
            IsClientRetry = repeat.IsClientRetry,
            Metadata = source.Metadata,
            WebhookUrl = source.WebhookUrl,
            RemixedFromId = source.Id,
            TraceParent = FarmTraces.Here(),
        };
        if (await jobs.EarlierAsync(job, cancellationToken) is { } earlier)
        {
            return Answer(earlier, caller);
        }

        return await SubmitAsync(job, await pictures.CopyAsync(source.Inputs, job.Id, cancellationToken), caller, cancellationToken);
    }

    /// <summary>Everything that can be said of a request without looking at its pictures.</summary>
    private async Task<(NewJob Job, ModelRegistration Model)> JudgeAsync(
        VideoRequest request,
        ApiKey caller,
        RepeatMarks repeat,
        CancellationToken cancellationToken
    )
    {
        CheckWebhook(request);
        var registration = await models.RegistrationAsync(options.Value.Resolve(request.Model), cancellationToken);
        var model = registration.Shape;
        PictureRules.Require(request, model);
        LoraRules.Require(request, registration);
        if (request.Priority > caller.PriorityCeiling)
        {
            throw ApiError.PriorityAboveCeiling(caller.PriorityCeiling).AsException();
        }

        var spec = RenderSpecs.Complete(request, model, NewSeed(), quality: options.Value.DefaultQuality);
        return (NewJobOf(request, caller, repeat, spec, LeastMemory.Of(registration, spec, request.HasPictures)), registration);
    }

    private NewJob NewJobOf(VideoRequest request, ApiKey caller, RepeatMarks repeat, RenderSpec spec, LeastMemory need) =>
        new()
        {
            Id = JobIds.New(time),
            KeyId = caller.Id,
            Spec = spec,
            Priority = request.Priority ?? Math.Min(DefaultPriority, caller.PriorityCeiling),
            VramClass = need.VramClass,
            LeastVramBytes = need.Bytes,
            EstimatedSeconds = need.EstimatedSeconds,
            MaxAttempts = request.MaxAttempts ?? 3,
            IdempotencyKey = repeat.IdempotencyKey,
            RequestHash = RequestDigest.Of(Action, request, repeat.Boundary),
            IsClientRetry = repeat.IsClientRetry,
            Metadata = request.Metadata,
            WebhookUrl = request.WebhookUrl,
            ExpiresAfter = request.ExpiresAfter,
            TraceParent = FarmTraces.Here(),
        };

    /// <summary>The pictures of a job that isn't taken (a repeat at the same moment, a quota) go again.</summary>
    private async Task<Job> SubmitAsync(
        NewJob job,
        IReadOnlyList<StoredInput> inputs,
        ApiKey caller,
        CancellationToken cancellationToken
    )
    {
        var taken = false;
        try
        {
            var result = await jobs.SubmitAsync(job with { Inputs = inputs }, cancellationToken);
            taken = result is SubmitResult.Created;
            return Answer(result, caller);
        }
        finally
        {
            if (!taken)
            {
                await pictures.RemoveAsync(inputs);
            }
        }
    }

    private Job Answer(SubmitResult result, ApiKey caller)
    {
        // A repeat is another request's video, and that one's trace
        Activity.Current?.SetTag(FarmTraces.VideoId, result.Job.Id);
        metrics.Submitted(
            result.Job.Spec.Model,
            caller.Class,
            result switch
            {
                SubmitResult.Conflict => "conflict",
                SubmitResult.Existing => "repeat",
                _ => "created",
            }
        );
        return result is SubmitResult.Conflict ? throw ApiError.IdempotencyConflict().AsException() : result.Job;
    }

    /// <summary>Where a name leads is seen at each delivery; an address that is private as it stands is refused at once.</summary>
    private void CheckWebhook(VideoRequest request)
    {
        if (request.WebhookUrl is { } url && guard.FaultOf(url) is { } fault)
        {
            throw ApiError.InvalidValue("webhook_url", $"'webhook_url' {fault}.").AsException();
        }
    }

    /// <summary>Below 2^32: exact in every client's number type, and short enough to be read out.</summary>
    private static long NewSeed() => RandomNumberGenerator.GetInt32(int.MaxValue) * 2L + RandomNumberGenerator.GetInt32(2);
}
