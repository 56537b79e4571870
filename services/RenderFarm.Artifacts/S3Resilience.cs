using System.Net.Sockets;
using Minio.Exceptions;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace RenderFarm.Artifacts;

/// <summary>
/// How calls to S3 are tried: retry with jitter around a breaker around a timeout. All kinds of call share one
/// breaker, because it is one server that is up or down.
/// </summary>
internal sealed class S3Resilience
{
    /// <summary>What a call that moves no content may take.</summary>
    public static readonly TimeSpan SmallTime = TimeSpan.FromSeconds(15);

    public S3Resilience(TimeProvider time)
    {
        var breaker = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions
                {
                    FailureRatio = 0.5,
                    MinimumThroughput = 8,
                    SamplingDuration = TimeSpan.FromSeconds(20),
                    BreakDuration = TimeSpan.FromSeconds(5),
                    ShouldHandle = new PredicateBuilder().Handle<Exception>(IsTransient),
                }
            )
            .Build();
        Small = Build(time, breaker, SmallTime);
        Transfer = Build(time, breaker, TimeSpan.FromMinutes(10));
        Page = new ResiliencePipelineBuilder { TimeProvider = time }.AddPipeline(breaker).AddTimeout(SmallTime).Build();
    }

    /// <summary>Calls that move no content.</summary>
    public ResiliencePipeline Small { get; }

    /// <summary>The next page of a listing: it is not tried again, for a listing that broke off can't be gone on with.</summary>
    public ResiliencePipeline Page { get; }

    /// <summary>Uploads, which take as long as they take.</summary>
    public ResiliencePipeline Transfer { get; }

    /// <summary>The server is away, slow or out of sorts; anything that it refused for a reason of its own is final.</summary>
    public static bool IsTransient(Exception fault) =>
        fault switch
        {
            OperationCanceledException => false,
            // A socket's own fault: of a connection that was reset while it was being made, which the HTTP client hands on as it is
            HttpRequestException or IOException or SocketException or TimeoutRejectedException or BrokenCircuitException => true,
            ObjectNotFoundException
            or BucketNotFoundException
            or InvalidBucketNameException
            or InvalidObjectNameException
            or InvalidEndpointException => false,
            MinioException => !IsRefusal(fault),
            // An answer that the SDK fell over: a page of a proxy, an error without a message, a document that breaks off
            _ => fault.Source is "Minio" or "System.Private.Xml",
        };

    /// <summary>The server does not let us: its settings or ours are wrong. Some of the SDK's calls know it by a code alone.</summary>
    public static bool IsRefusal(Exception fault) =>
        fault is AccessDeniedException or AuthorizationException
        || fault is MinioException { Response.Code: "AccessDenied" or "InvalidAccessKeyId" or "SignatureDoesNotMatch" };

    /// <summary>In words. While the breaker is open no call is made: then what the last one came to, which is what opened it.</summary>
    public static string CauseOf(Exception fault) =>
        fault switch
        {
            BrokenCircuitException { InnerException: { } last } => $"{CauseOf(last)} (it is not asked again for some seconds)",
            _ => fault.Message,
        };

    private static ResiliencePipeline Build(TimeProvider time, ResiliencePipeline breaker, TimeSpan timeout) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    MaxRetryAttempts = 3,
                    Delay = TimeSpan.FromMilliseconds(250),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    // An open breaker is an answer: waiting is the caller's decision
                    ShouldHandle = new PredicateBuilder().Handle<Exception>(fault =>
                        fault is not BrokenCircuitException && IsTransient(fault)
                    ),
                }
            )
            .AddPipeline(breaker)
            .AddTimeout(timeout)
            .Build();
}
