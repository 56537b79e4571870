using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Hosting;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests;

/// <summary>
/// A whole API on a loopback port: real Kestrel, a database and artifacts of its own, both first keys, and one worker's voice.
/// </summary>
public sealed class TestFarm : IAsyncDisposable
{
    private readonly string _home;
    private readonly WebApplication _app;

    private TestFarm(string home, WebApplication app)
    {
        (_home, _app) = (home, app);
        Address = new Uri(app.Urls.First());
        var keys = JsonNode.Parse(File.ReadAllText(app.Configuration["Keys:BootstrapFile"]!))!;
        (AdminKey, WorkerKey) = ((string)keys["admin_key"]!, (string)keys["worker_key"]!);
        (User, Worker) = (ClientWith(AdminKey), ClientWith(WorkerKey));
    }

    public Uri Address { get; }

    /// <summary>The farm's folder.</summary>
    public string Home => _home;
    public string AdminKey { get; }
    public string WorkerKey { get; }

    /// <summary>For a second process of the same farm.</summary>
    public string KeysFile => _app.Configuration["Keys:BootstrapFile"]!;

    /// <summary>Holds the admin key.</summary>
    public HttpClient User { get; }

    /// <summary>Holds the worker key.</summary>
    public HttpClient Worker { get; }
    public IServiceProvider Services => _app.Services;
    public IArtifactStore Artifacts => Services.GetRequiredService<IArtifactStore>();

    /// <param name="settings">As on the command line: <c>--Videos:DefaultModel=tiny</c>; later ones win.</param>
    public static Task<TestFarm> StartAsync(params string[] settings) => StartAsync(_ => { }, settings);

    public static async Task<TestFarm> StartAsync(Action<WebApplicationBuilder> adjust, params string[] settings)
    {
        var home = Directory.CreateTempSubdirectory("renderfarm-api-").FullName;
        string[] defaults =
        [
            $"--RENDERFARM_HOME={home}",
            "--Api:Url=http://127.0.0.1:0",
            "--Videos:DefaultModel=tiny",
            "--Logging:LogLevel:Default=Warning",
        ];
        var app = FarmApi.Build([.. defaults, .. settings], adjust);
        await app.PrepareAsync();
        await app.StartAsync();
        return new TestFarm(home, app);
    }

    public HttpClient ClientWith(string? key)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A key of another tenant, made as an administrator makes it.</summary>
    public async Task<HttpClient> NewTenantAsync(params string[] scopes)
    {
        var made = await User.PostAsJsonAsync("/v1/keys", new { name = Guid.NewGuid().ToString("N"), scopes });
        return ClientWith((string)(await made.JsonAsync())["key"]!);
    }

    public async Task<string> RegisterWorkerAsync(string name = "w1", params ModelShape[] models)
    {
        var reply = await Worker.PostContractAsync("/worker/v1/register", Registration(name, models));
        return (await reply.ContractAsync<RegisterWorkerReply>()).WorkerId;
    }

    /// <summary>A worker with one slot, <c>cpu</c>. What a test asks of more, it changes.</summary>
    /// <param name="models">None: the tiny one.</param>
    public static RegisterWorkerRequest Registration(string name = "w1", params ModelShape[] models) =>
        new()
        {
            Protocol = WorkerProtocol.Current,
            Identity = SimulatedWorker.IdentityOf(name),
            Instance = SimulatedWorker.Instance,
            Name = name,
            Host = "testhost",
            Version = "1.0",
            Slots =
            [
                new SlotDescription
                {
                    Id = "cpu",
                    Kind = SlotKind.Cpu,
                    Card = "cpu",
                    TotalBytes = 16L << 30,
                },
            ],
            Models =
            [
                .. (models is [] ? [ModelShapes.Tiny] : models).Select(shape => new ModelRegistration(
                    shape.Id,
                    shape,
                    new Dictionary<string, string>()
                )),
            ],
        };

    public async Task<JsonNode> SubmitAsync(object? fields = null, HttpClient? by = null)
    {
        var reply = await (by ?? User).PostAsJsonAsync("/v1/videos", fields ?? new { prompt = "a ball" });
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return await reply.JsonAsync();
    }

    public async Task<LeaseGrant?> LeaseAsync(string workerId, double waitSeconds = 0, CancellationToken cancellationToken = default)
    {
        var reply = await Worker.PostContractAsync(
            "/worker/v1/leases",
            new LeaseRequest
            {
                Instance = SimulatedWorker.Instance,
                WorkerId = workerId,
                SlotId = "cpu",
                FreeBytes = 16L << 30,
                WaitSeconds = waitSeconds,
            },
            cancellationToken
        );
        return reply.StatusCode == System.Net.HttpStatusCode.NoContent ? null : await reply.ContractAsync<LeaseGrant>();
    }

    public Task<HttpResponseMessage> RenewAsync(LeaseGrant lease, RenderStage stage = RenderStage.Denoising, int step = 1) =>
        Worker.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/renew",
            new RenewRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Stage = stage,
                Step = step,
                Steps = lease.Spec.Steps,
            }
        );

    /// <summary>Progress between renewals, with a picture of it where one is wished for.</summary>
    public async Task<ProgressReply> ReportAsync(LeaseGrant lease, int step, byte[]? picture = null) =>
        await (
            await Worker.PostContractAsync(
                $"/worker/v1/leases/{lease.JobId}/progress",
                new ProgressReport
                {
                    Fence = lease.Fence,
                    Token = lease.Token,
                    Stage = RenderStage.Denoising,
                    Step = step,
                    Steps = 8,
                    Preview = picture,
                    PreviewType = picture is null ? null : "image/png",
                }
            )
        ).ContractAsync<ProgressReply>();

    /// <summary>Stores <paramref name="content"/> as the video of the lease, as a worker's upload does.</summary>
    public async Task<Artifact> UploadAsync(LeaseGrant lease, byte[] content)
    {
        var path = Path.Combine(_home, Guid.NewGuid().ToString("N"));
        await File.WriteAllBytesAsync(path, content);
        var artifact = new Artifact(
            ArtifactKind.Video,
            ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name),
            "video/mp4",
            content.Length,
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))
        );
        await Artifacts.EnsureReadyAsync(CancellationToken.None);
        await Artifacts.PutFileAsync(artifact.Key, path, artifact.ContentType, artifact.Sha256, CancellationToken.None);
        return artifact;
    }

    public Task<HttpResponseMessage> CompleteAsync(LeaseGrant lease, params Artifact[] artifacts) =>
        Worker.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/complete",
            new CompleteRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Artifacts = artifacts,
                Measurements = new Measurements
                {
                    StepSeconds = 0.5,
                    DenoiseSeconds = 1,
                    DecodeSeconds = 0.25,
                    PeakBytes = 1 << 20,
                    PredictedPeakBytes = 2 << 20,
                    Card = "cpu",
                },
            }
        );

    /// <summary>Submits, leases, uploads and completes: a finished video of these bytes.</summary>
    public async Task<string> FinishVideoAsync(byte[] content)
    {
        var workerId = await RegisterWorkerAsync();
        var id = (string)(await SubmitAsync())["id"]!;
        LeaseGrant? lease;
        do
        {
            lease = await LeaseAsync(workerId) ?? throw new InvalidOperationException("nothing to lease");
            await RenewAsync(lease);
            var done = await CompleteAsync(lease, await UploadAsync(lease, content));
            done.EnsureSuccessStatusCode();
        } while (lease.JobId != id);

        return id;
    }

    /// <summary>Returns when so many slots wait in a long poll, by the farm's own count of them.</summary>
    public Task WaitForPollAsync(int count = 1) =>
        Eventually.TrueAsync(
            () => Task.FromResult(Services.GetRequiredService<Api.Metrics.FarmMetrics>().WaitingPolls == count),
            TimeSpan.FromSeconds(10),
            $"{count} slots in a long poll"
        );

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        User.Dispose();
        Worker.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }
}

/// <summary>One farm for the tests of a class, which keep out of each other's way by using ids of their own.</summary>
public sealed class FarmFixture : IAsyncLifetime
{
    public TestFarm Farm { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Farm = await TestFarm.StartAsync();
        await Farm.RegisterWorkerAsync();
    }

    public ValueTask DisposeAsync() => Farm.DisposeAsync();
}

internal static class Http
{
    public static async Task<JsonNode> JsonAsync(this HttpResponseMessage reply) =>
        JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;

    public static Task<HttpResponseMessage> PostContractAsync<T>(
        this HttpClient client,
        string path,
        T body,
        CancellationToken cancellationToken = default
    ) =>
        client.PostAsync(
            path,
            new StringContent(JsonSerializer.Serialize(body, typeof(T), ContractsJson.Default), Encoding.UTF8, "application/json"),
            cancellationToken
        );

    public static async Task<T> ContractAsync<T>(this HttpResponseMessage reply)
    {
        var text = await reply.Content.ReadAsStringAsync();
        Assert.True(reply.IsSuccessStatusCode, text);
        return (T)JsonSerializer.Deserialize(text, typeof(T), ContractsJson.Default)!;
    }

    /// <summary>The refusal, with the shape that every one of them has.</summary>
    public static async Task<(int Status, string Code, string? Param, string Message)> RefusalAsync(this HttpResponseMessage reply)
    {
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("req_", Assert.Single(reply.Headers.GetValues("x-request-id")), StringComparison.Ordinal);
        var body = await reply.JsonAsync();
        var (status, error) = ((int)reply.StatusCode, body["error"]!);
        Assert.Equal(status, (int)body["status"]!);
        Assert.False(string.IsNullOrEmpty((string?)body["title"]));
        Assert.False(string.IsNullOrEmpty((string?)body["type"]));
        Assert.False(string.IsNullOrEmpty((string?)body["traceId"]));
        Assert.Equal((string?)body["detail"], (string?)error["message"]);
        Assert.False(string.IsNullOrEmpty((string?)error["type"]));
        return (status, (string)error["code"]!, (string?)error["param"], (string)error["message"]!);
    }
}
