using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Tests.Inputs;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>What a worker's key may do with what is another worker's: nothing, whatever else its holder knows.</summary>
public sealed partial class WrongWorkerTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private HttpClient _other = null!;
    private string _workerId = "";

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        _workerId = await _farm.RegisterWorkerAsync();
        _other = await _farm.NewTenantAsync("worker");
    }

    public ValueTask DisposeAsync()
    {
        _other.Dispose();
        return _farm.DisposeAsync();
    }

    /// <summary>The routes are those that the API has, so one that is added is tried too.</summary>
    [Fact]
    public async Task EveryCallUnderALease_WithAnotherWorkersKey_Is403AndChangesNothing()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await RegisterAsync(_other, "w2");
        var routes = LeaseRoutes();
        Assert.Contains("POST /worker/v1/leases/{job}/complete", routes.Select(route => route.Name));
        Assert.Contains("GET /worker/v1/leases/{job}/inputs/{role}", routes.Select(route => route.Name));

        foreach (var route in routes)
        {
            using var request = new HttpRequestMessage(route.Method, Placeholder().Replace(route.Path.Replace("{job}", lease.JobId), "1"));
            request.Content = route.Body is { } body ? JsonContent.Create(BodyOf(body, lease)) : new ByteArrayContent([1]);
            // Where the body is a file, or part of one, the lease is in headers.
            request.Headers.Add("x-renderfarm-fence", lease.Fence.ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("x-renderfarm-token", lease.Token.Secret);
            request.Content.Headers.ContentMD5 = new byte[16];

            var (status, code, _, _) = await (await _other.SendAsync(request)).RefusalAsync();
            Assert.True((status, code) == (403, "wrong_worker"), $"{route.Name} answered {status} {code}");
        }

        // The one whose lease it is goes on.
        var artifact = await _farm.UploadAsync(lease, [1, 2, 3]);
        Assert.Equal(JobState.Completed, (await (await _farm.CompleteAsync(lease, artifact)).ContractAsync<LeaseOutcome>()).State);
    }

    [Fact]
    public async Task Lease_ForAnotherKeysWorker_Is403NamingTheField()
    {
        await _farm.SubmitAsync();
        var request = new LeaseRequest
        {
            Instance = SimulatedWorker.Instance,
            WorkerId = _workerId,
            SlotId = "cpu",
            FreeBytes = 16L << 30,
        };

        var (status, code, param, _) = await (await _other.PostContractAsync("/worker/v1/leases", request)).RefusalAsync();

        Assert.Equal((403, "wrong_worker", "worker_id"), (status, code, param));
        Assert.NotNull(await _farm.LeaseAsync(_workerId));
    }

    [Fact]
    public async Task Inputs_OfAJob_AreThoseOfWhoHoldsItAlone_AndOnlyAsLong()
    {
        await _farm.RegisterWorkerAsync("w1", TinyShapes.ImageToVideo);
        var reference = new { image_url = $"data:image/png;base64,{Convert.ToBase64String(SamplePictures.Png(64, 48))}" };
        await _farm.SubmitAsync(new { prompt = "a ball", model = TinyShapes.ImageToVideo.Id, input_reference = reference });
        var lease = (await _farm.LeaseAsync(_workerId))!;
        var url = Assert.Single(lease.Inputs).Url;

        Assert.Equal(HttpStatusCode.OK, (await _farm.Worker.GetAsync(url)).StatusCode);
        Assert.Equal((403, "wrong_worker"), await RefusalAsync(_other, url));

        (
            await _farm.Worker.PostContractAsync(
                $"/worker/v1/leases/{lease.JobId}/release",
                new ReleaseRequest { Reason = ReleaseReason.Draining }.Under(lease.Lease)
            )
        ).EnsureSuccessStatusCode();
        Assert.Equal((409, "lease_lost"), await RefusalAsync(_farm.Worker, url));
        Assert.Equal((404, "not_found"), await RefusalAsync(_farm.Worker, url.Replace(lease.JobId, "video_" + new string('0', 32))));
    }

    /// <summary>The installation is who it is by its identity; which key speaks for it an operator may change.</summary>
    [Fact]
    public async Task Register_TheSameInstallationWithAnotherKey_TakesItsLeasesAlong()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;

        Assert.Equal(_workerId, await RegisterAsync(_other, "w1"));

        var renewed = await _other.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/renew",
            new RenewRequest { Stage = RenderStage.Loading }.Under(lease.Lease)
        );
        Assert.Equal(HttpStatusCode.OK, renewed.StatusCode);
        Assert.Equal((403, "wrong_worker"), Pair(await (await _farm.RenewAsync(lease)).RefusalAsync()));
    }

    [GeneratedRegex("{[^}]+}")]
    private static partial Regex Placeholder();

    private static (int, string) Pair((int Status, string Code, string? Param, string Message) refusal) => (refusal.Status, refusal.Code);

    private static async Task<(int, string)> RefusalAsync(HttpClient client, string url) =>
        Pair(await (await client.GetAsync(url)).RefusalAsync());

    private static async Task<string> RegisterAsync(HttpClient client, string name)
    {
        var reply = await client.PostContractAsync("/worker/v1/register", TestFarm.Registration(name));
        return (await reply.ContractAsync<RegisterWorkerReply>()).WorkerId;
    }

    private List<LeaseRoute> LeaseRoutes() =>
        [
            .. _farm
                .Services.GetRequiredService<EndpointDataSource>()
                .Endpoints.OfType<RouteEndpoint>()
                .Where(endpoint => endpoint.RoutePattern.RawText!.Contains("/leases/{job}/", StringComparison.Ordinal))
                .SelectMany(endpoint =>
                    endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => new LeaseRoute(
                        HttpMethod.Parse(method),
                        endpoint.RoutePattern.RawText!,
                        endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType
                    ))
                ),
        ];

    /// <summary>A body with all that it must have, under the lease.</summary>
    private JsonNode BodyOf(Type type, LeaseGrant lease)
    {
        var body = SampleOf(type, _farm.Services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions)!;
        (body["fence"], body["token"]) = (lease.Fence, lease.Token.Secret);
        return body;
    }

    private static JsonNode? SampleOf(Type type, JsonSerializerOptions options)
    {
        var info = options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => new JsonObject(
                info.Properties.Where(property => property.IsRequired && property.PropertyType != typeof(LeaseToken))
                    .Select(property => KeyValuePair.Create(property.Name, SampleOf(property.PropertyType, options)))
            ),
            JsonTypeInfoKind.Enumerable => new JsonArray(),
            _ when type == typeof(string) => "x",
            _ => JsonSerializer.SerializeToNode(Activator.CreateInstance(type), type, options),
        };
    }

    private sealed record LeaseRoute(HttpMethod Method, string Path, Type? Body)
    {
        public string Name => $"{Method} {Path}";
    }
}
