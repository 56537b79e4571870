using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Api;

/// <summary>
/// <c>/worker/v1</c> as methods. Each call is made once and bounded in time; whether to try again is the caller's
/// decision, because it depends on the lease's clock.
/// </summary>
internal sealed class FarmApi : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Short, so that a half-open connection costs a renewal and not the lease, and a slot's time no longer than it must.
    /// </summary>
    private static readonly TimeSpan RenewPatience = TimeSpan.FromSeconds(4);

    /// <summary>Whoever ends the worker waits for it.</summary>
    private static readonly TimeSpan GoodbyePatience = TimeSpan.FromSeconds(3);

    /// <summary>A store may take its time to make an object out of parts.</summary>
    private static readonly TimeSpan JoinPatience = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http;
    private readonly WorkerKey _key;
    private readonly string _certificateWanted;

    public FarmApi(IOptions<WorkerOptions> options, WorkerKey key)
    {
        _key = key;
        _certificateWanted = options.Value.CertificateWanted();
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                ConnectTimeout = TimeSpan.FromSeconds(3),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
                UseProxy = false,
                // It would make a span of each call, which nobody exports: the API's own hang from what is going on here
                ActivityHeadersPropagator = null,
                SslOptions = options.Value.TlsToApi(),
            }
        )
        {
            BaseAddress = new Uri(options.Value.ApiUrl.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>The one call without a key.</summary>
    public async Task<EnrollReply> EnrollAsync(EnrollRequest request, CancellationToken cancellationToken)
    {
        const string Address = "worker/v1/enroll";
        return await PostAsync(
                Address,
                request,
                ContractsJson.Default.EnrollRequest,
                ContractsJson.Default.EnrollReply,
                Patience,
                null,
                cancellationToken,
                withKey: false
            ) ?? throw new FarmApiException($"the API answered {Address} with nothing", HttpStatusCode.NoContent, null);
    }

    public Task<RegisterWorkerReply> RegisterAsync(RegisterWorkerRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            "worker/v1/register",
            request,
            ContractsJson.Default.RegisterWorkerRequest,
            ContractsJson.Default.RegisterWorkerReply,
            Patience,
            null,
            cancellationToken
        );

    /// <returns>Null when there is nothing to do.</returns>
    public Task<LeaseGrant?> LeaseAsync(LeaseRequest request, CancellationToken cancellationToken) =>
        PostAsync(
            "worker/v1/leases",
            request,
            ContractsJson.Default.LeaseRequest,
            ContractsJson.Default.LeaseGrant,
            TimeSpan.FromSeconds(request.WaitSeconds) + RenewPatience,
            null,
            cancellationToken
        );

    public Task<GoodbyeReply> GoodbyeAsync(GoodbyeRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            "worker/v1/goodbye",
            request,
            ContractsJson.Default.GoodbyeRequest,
            ContractsJson.Default.GoodbyeReply,
            GoodbyePatience,
            null,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<RenewReply> RenewAsync(LeaseId lease, RenewRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "renew"),
            request.Under(lease),
            ContractsJson.Default.RenewRequest,
            ContractsJson.Default.RenewReply,
            RenewPatience,
            lease,
            cancellationToken
        );

    public Task<ProgressReply> ProgressAsync(LeaseId lease, ProgressReport report, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "progress"),
            report.Under(lease),
            ContractsJson.Default.ProgressReport,
            ContractsJson.Default.ProgressReply,
            RenewPatience,
            null,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<LeaseOutcome> CompleteAsync(LeaseId lease, CompleteRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "complete"),
            request.Under(lease),
            ContractsJson.Default.CompleteRequest,
            ContractsJson.Default.LeaseOutcome,
            Patience,
            lease,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<LeaseOutcome> FailAsync(LeaseId lease, FailRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "fail"),
            request.Under(lease),
            ContractsJson.Default.FailRequest,
            ContractsJson.Default.LeaseOutcome,
            Patience,
            lease,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<LeaseOutcome> ReleaseAsync(LeaseId lease, ReleaseRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "release"),
            request.Under(lease),
            ContractsJson.Default.ReleaseRequest,
            ContractsJson.Default.LeaseOutcome,
            Patience,
            lease,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<UploadReply> BeginUploadAsync(LeaseId lease, UploadRequest request, CancellationToken cancellationToken) =>
        RequiredAsync(
            Path(lease, "uploads"),
            request.Under(lease),
            ContractsJson.Default.UploadRequest,
            ContractsJson.Default.UploadReply,
            Patience,
            lease,
            cancellationToken
        );

    /// <exception cref="LeaseLostException"/>
    public Task<UploadedObject> CompleteUploadAsync(
        LeaseId lease,
        string uploadId,
        UploadCompleteRequest request,
        CancellationToken cancellationToken
    ) =>
        RequiredAsync(
            Path(lease, $"uploads/{Uri.EscapeDataString(uploadId)}/complete"),
            request.Under(lease),
            ContractsJson.Default.UploadCompleteRequest,
            ContractsJson.Default.UploadedObject,
            JoinPatience,
            lease,
            cancellationToken
        );

    /// <summary>Where a link of the API leads: some are paths of its own.</summary>
    public Uri AddressOf(string url) => new(_http.BaseAddress!, url);

    public bool IsOwn(Uri address) =>
        Uri.Compare(address, _http.BaseAddress, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase)
        == 0;

    /// <summary>A request of the caller's own to the API itself, with this worker's key; the answer's body is not read yet.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = Bearer();
        FarmTraces.Continue(request);
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private static string Path(LeaseId lease, string verb) => $"worker/v1/leases/{Uri.EscapeDataString(lease.JobId)}/{verb}";

    private async Task<TReply> RequiredAsync<TBody, TReply>(
        string path,
        TBody body,
        JsonTypeInfo<TBody> bodyType,
        JsonTypeInfo<TReply> replyType,
        TimeSpan patience,
        LeaseId? lease,
        CancellationToken cancellationToken
    )
        where TReply : class =>
        await PostAsync(path, body, bodyType, replyType, patience, lease, cancellationToken)
        ?? throw new FarmApiException($"the API answered {path} with nothing", HttpStatusCode.NoContent, null);

    private async Task<TReply?> PostAsync<TBody, TReply>(
        string path,
        TBody body,
        JsonTypeInfo<TBody> bodyType,
        JsonTypeInfo<TReply> replyType,
        TimeSpan patience,
        LeaseId? lease,
        CancellationToken cancellationToken,
        bool withKey = true
    )
        where TReply : class
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType))
                {
                    Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
                },
            };
            request.Headers.Authorization = withKey ? Bearer() : null;
            FarmTraces.Continue(request);
            using var response = await _http.SendAsync(request, bounded.Token);
            if (response.StatusCode == HttpStatusCode.NoContent)
            {
                return null;
            }

            var answer = await response.Content.ReadAsByteArrayAsync(bounded.Token);
            if (response.IsSuccessStatusCode)
            {
                return JsonSerializer.Deserialize(answer, replyType);
            }

            throw Refusal(path, response.StatusCode, answer, lease);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FarmApiException($"the API did not answer {path} within {patience.TotalSeconds:0} s", null, null, fault);
        }
        catch (HttpRequestException fault) when (fault.InnerException is AuthenticationException tls)
        {
            throw new FarmApiException(
                $"the certificate of the API at {_http.BaseAddress} is not accepted ({tls.Message.TrimEnd('.')}): {_certificateWanted}",
                null,
                FarmApiException.WrongCertificate,
                fault
            );
        }
        catch (Exception fault) when (fault is HttpRequestException or SocketException or IOException or JsonException)
        {
            throw new FarmApiException($"the API at {_http.BaseAddress} can't be reached for {path}: {fault.Message}", null, null, fault);
        }
    }

    private AuthenticationHeaderValue Bearer() =>
        new("Bearer", _key.Current ?? throw new FarmApiException($"no worker key yet: {_key.Source} is missing", null, null));

    private Exception Refusal(string path, HttpStatusCode status, byte[] body, LeaseId? lease)
    {
        (var code, var message) = ErrorOf(body);
        if (status == HttpStatusCode.Conflict && code == "lease_lost" && lease is { } held)
        {
            return new LeaseLostException(held);
        }

        var fault = new FarmApiException($"the API answered {path} with {(int)status} {code}: {message ?? "no message"}", status, code);
        if (fault.IsWrongKey)
        {
            _key.Forget();
        }

        return fault;
    }

    private static (string? Code, string? Message) ErrorOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("error", out var error))
            {
                return default;
            }

            return (Text(error, "code"), Text(error, "message"));
        }
        catch (JsonException)
        {
            return default; // A proxy's page: the status says enough
        }

        static string? Text(JsonElement element, string name) =>
            element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
