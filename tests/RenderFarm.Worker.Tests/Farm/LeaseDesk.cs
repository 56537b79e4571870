using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>
/// The other end of <c>/worker/v1</c> on a real socket: hands out the jobs a test queues, keeps a ledger of what the
/// worker says, and can be away, lose a lease or cancel.
/// </summary>
internal sealed class LeaseDesk : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<LeaseGrant> _queue = Channel.CreateUnbounded<LeaseGrant>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<object>> _endings = new();
    private long _fence;
    private int _refusals;
    private int _cut;

    private LeaseDesk(WebApplication app, StoreDesk store) => (_app, Store) = (app, store);

    public const string Key = "rf_test_worker_key";

    public string Url => _app.Urls.First();

    /// <summary>Where links lead.</summary>
    public StoreDesk Store { get; }

    /// <summary>Connections are cut without an answer.</summary>
    public bool Away { get; set; }

    /// <summary>Every ending is answered with 503, as while a database can't be written.</summary>
    public bool EndingsAway { get; set; }

    /// <summary>As an API with a new database: it knows neither the worker nor anything else, and registers nobody.</summary>
    public bool Forgetful { get; set; }

    /// <summary>What every call is answered with instead of its own answer; null: nothing.</summary>
    public (int Status, string Code)? Refusal { get; set; }

    /// <summary>Connections cut so far.</summary>
    public int Cut => Volatile.Read(ref _cut);

    /// <summary>Jobs that the API's database does not hold.</summary>
    public HashSet<string> Unknown { get; } = [];

    /// <summary>What <c>/inputs/{name}</c> holds.</summary>
    public Dictionary<string, byte[]> Inputs { get; } = [];

    /// <summary>The next so many requests for an input are cut.</summary>
    public int InputsToCut { get; set; }

    public int InputsAsked { get; private set; }

    /// <summary>What registrations are answered with; null: they are taken.</summary>
    public (int Status, string Code)? RegistrationRefusal { get; set; }

    /// <summary>The next request for work is told that another start has taken the worker's place.</summary>
    public bool Superseded { get; set; }

    /// <summary>Calls answered with an error so far.</summary>
    public int Refusals => Volatile.Read(ref _refusals);

    /// <summary>Jobs whose lease somebody else has.</summary>
    public HashSet<string> Lost { get; } = [];

    /// <summary>Jobs that the user wants stopped.</summary>
    public HashSet<string> Cancelled { get; } = [];

    public LeaseSettings Settings { get; init; } =
        new()
        {
            LeaseSeconds = 12,
            RenewSeconds = 0.2,
            RenewRetrySeconds = 0.2,
            KillMarginSeconds = 2,
        };

    /// <summary>What registrations are told of slots.</summary>
    public ConcurrentBag<SlotOrder> Orders { get; } = [];

    public ConcurrentQueue<RegisterWorkerRequest> Registrations { get; } = new();
    public ConcurrentQueue<GoodbyeRequest> Goodbyes { get; } = new();
    public ConcurrentQueue<LeaseRequest> Requests { get; } = new();
    public ConcurrentQueue<(string Job, RenewRequest Request)> Renewals { get; } = new();

    /// <summary>What was told between the renewals.</summary>
    public ConcurrentQueue<ProgressReport> Progress { get; } = new();

    /// <summary>Every ending that was accepted, in order.</summary>
    public ConcurrentQueue<(string Job, object Request)> Endings { get; } = new();

    public static async Task<LeaseDesk> OpenAsync(LeaseSettings? settings = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var store = await StoreDesk.OpenAsync();
        LeaseDesk desk = settings is null ? new(app, store) : new(app, store) { Settings = settings };
        app.Use(
            async (context, next) =>
            {
                if (desk.Away)
                {
                    Interlocked.Increment(ref desk._cut);
                    context.Abort();
                }
                else if (desk.Refusal is var (status, code))
                {
                    await desk.RefuseAsync(context, status, code);
                }
                else if (context.Request.Headers.Authorization != $"Bearer {Key}")
                {
                    await desk.RefuseAsync(context, 401, "invalid_api_key");
                }
                else if (desk.Forgetful)
                {
                    await desk.RefuseAsync(context, 404, "not_found");
                }
                else
                {
                    await next(context);
                }
            }
        );
        app.MapGet("/inputs/{name}", desk.InputAsync);
        app.MapPost("/worker/v1/register", desk.RegisterAsync);
        app.MapPost("/worker/v1/goodbye", desk.GoodbyeAsync);
        app.MapPost("/worker/v1/leases", desk.LeaseAsync);
        app.MapPost("/worker/v1/leases/{job}/renew", desk.RenewAsync);
        app.MapPost("/worker/v1/leases/{job}/progress", desk.ProgressAsync);
        app.MapPost(
            "/worker/v1/leases/{job}/complete",
            (HttpContext c, string job) => desk.EndAsync(c, job, ContractsJson.Default.CompleteRequest, JobState.Completed)
        );
        app.MapPost(
            "/worker/v1/leases/{job}/fail",
            (HttpContext c, string job) => desk.EndAsync(c, job, ContractsJson.Default.FailRequest, JobState.Failed)
        );
        app.MapPost(
            "/worker/v1/leases/{job}/release",
            (HttpContext c, string job) => desk.EndAsync(c, job, ContractsJson.Default.ReleaseRequest, JobState.Queued)
        );
        app.MapPost("/worker/v1/leases/{job}/uploads", desk.UploadAsync);
        app.MapPost("/worker/v1/leases/{job}/uploads/{id}/complete", desk.UploadedAsync);
        await app.StartAsync();
        return desk;
    }

    /// <returns>The grant that the next poll will get.</returns>
    public LeaseGrant Queue(RenderSpec spec, int stepDowns = 0, params KindCorrection[] corrections) =>
        Queue(spec, [], stepDowns, corrections);

    public LeaseGrant Queue(RenderSpec spec, IReadOnlyList<JobInput> inputs, int stepDowns = 0, params KindCorrection[] corrections)
    {
        var grant = Grant(spec) with { StepDowns = stepDowns, Inputs = inputs, KindCorrections = corrections };
        _queue.Writer.TryWrite(grant);
        return grant;
    }

    /// <summary>A lease that somebody has already.</summary>
    public LeaseGrant Grant(RenderSpec spec)
    {
        var fence = Interlocked.Increment(ref _fence);
        return new LeaseGrant
        {
            JobId = $"video_{fence}",
            Fence = fence,
            Token = LeaseToken.New(),
            Attempt = 1,
            LeaseSeconds = Settings.LeaseSeconds,
            Spec = spec,
            Inputs = [],
        };
    }

    public async Task<CompleteRequest> CompletedAsync(LeaseGrant grant) => await EndingAsync<CompleteRequest>(grant);

    public async Task<FailRequest> FailedAsync(LeaseGrant grant) => await EndingAsync<FailRequest>(grant);

    public async Task<ReleaseRequest> ReleasedAsync(LeaseGrant grant) => await EndingAsync<ReleaseRequest>(grant);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Store.DisposeAsync();
    }

    private async Task<T> EndingAsync<T>(LeaseGrant grant)
    {
        var ending = await Ending(grant.JobId).Task.WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
        return Assert.IsType<T>(ending);
    }

    private TaskCompletionSource<object> Ending(string job) =>
        _endings.GetOrAdd(job, _ => new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task RegisterAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ContractsJson.Default.RegisterWorkerRequest);
        if (RegistrationRefusal is var (status, code))
        {
            await RefuseAsync(context, status, code);
            return;
        }

        Registrations.Enqueue(request);
        await WriteAsync(
            context,
            new RegisterWorkerReply
            {
                WorkerId = "worker_1",
                Settings = Settings,
                Slots = [.. Orders],
            },
            ContractsJson.Default.RegisterWorkerReply
        );
    }

    private async Task GoodbyeAsync(HttpContext context)
    {
        Goodbyes.Enqueue(await ReadAsync(context, ContractsJson.Default.GoodbyeRequest));
        await WriteAsync(context, new GoodbyeReply(Noted: true), ContractsJson.Default.GoodbyeReply);
    }

    private async Task LeaseAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ContractsJson.Default.LeaseRequest);
        if (Superseded)
        {
            Superseded = false;
            await RefuseAsync(context, 409, "identity_in_use");
            return;
        }

        Requests.Enqueue(request);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(TimeSpan.FromSeconds(request.WaitSeconds));
        try
        {
            await WriteAsync(context, await _queue.Reader.ReadAsync(patience.Token), ContractsJson.Default.LeaseGrant);
        }
        catch (Exception fault) when (fault is OperationCanceledException or ChannelClosedException)
        {
            context.Response.StatusCode = 204;
        }
    }

    private async Task RenewAsync(HttpContext context, string job)
    {
        var request = await ReadAsync(context, ContractsJson.Default.RenewRequest);
        Renewals.Enqueue((job, request));
        if (Unknown.Contains(job))
        {
            await RefuseAsync(context, 404, "not_found");
        }
        else if (Lost.Contains(job))
        {
            await RefuseAsync(context, 409, "lease_lost");
        }
        else
        {
            await WriteAsync(
                context,
                new RenewReply { LeaseSeconds = Settings.LeaseSeconds, Cancel = Cancelled.Contains(job) },
                ContractsJson.Default.RenewReply
            );
        }
    }

    private async Task InputAsync(HttpContext context, string name)
    {
        InputsAsked++;
        if (InputsToCut-- > 0)
        {
            context.Abort();
            return;
        }

        await context.Response.Body.WriteAsync(Inputs[name], context.RequestAborted);
    }

    private async Task ProgressAsync(HttpContext context)
    {
        Progress.Enqueue(await ReadAsync(context, ContractsJson.Default.ProgressReport));
        await WriteAsync(context, new ProgressReply(Preview: false), ContractsJson.Default.ProgressReply);
    }

    private async Task UploadAsync(HttpContext context, string job)
    {
        var request = await ReadAsync(context, ContractsJson.Default.UploadRequest);
        if (await RefusedUploadAsync(context, job))
        {
            return;
        }

        await WriteAsync(context, Store.Begin(request.About(job).Lease, request), ContractsJson.Default.UploadReply);
    }

    private async Task UploadedAsync(HttpContext context, string job, string id)
    {
        var request = await ReadAsync(context, ContractsJson.Default.UploadCompleteRequest);
        if (await RefusedUploadAsync(context, job))
        {
            return;
        }

        if (Store.Complete(id, request) is { } stored)
        {
            await WriteAsync(context, stored, ContractsJson.Default.UploadedObject);
        }
        else
        {
            await RefuseAsync(context, 409, "upload_ended");
        }
    }

    private async Task<bool> RefusedUploadAsync(HttpContext context, string job)
    {
        (int Status, string Code)? refusal =
            Unknown.Contains(job) ? (404, "not_found")
            : Lost.Contains(job) ? (409, "lease_lost")
            : Store.Away ? (503, "unavailable")
            : Store.Refuses ? (400, "invalid_value")
            : null;
        if (refusal is var (status, code))
        {
            await RefuseAsync(context, status, code);
            return true;
        }

        return false;
    }

    private async Task EndAsync<T>(HttpContext context, string job, JsonTypeInfo<T> type, JobState state)
        where T : notnull
    {
        var request = await ReadAsync(context, type);
        if (EndingsAway)
        {
            await RefuseAsync(context, 503, "unavailable");
            return;
        }

        if (Unknown.Contains(job))
        {
            await RefuseAsync(context, 404, "not_found");
            return;
        }

        if (Lost.Contains(job))
        {
            await RefuseAsync(context, 409, "lease_lost");
            return;
        }

        Endings.Enqueue((job, request));
        await WriteAsync(context, new LeaseOutcome(state), ContractsJson.Default.LeaseOutcome);
        Ending(job).TrySetResult(request);
    }

    private async Task RefuseAsync(HttpContext context, int status, string code)
    {
        Interlocked.Increment(ref _refusals);
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(
            new
            {
                error = new
                {
                    code,
                    message = "refused",
                    type = "x",
                    param = "",
                },
            }
        );
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) =>
        (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted))!;

    private static Task WriteAsync<T>(HttpContext context, T reply, JsonTypeInfo<T> type) => context.Response.WriteAsJsonAsync(reply, type);
}
