using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>
/// A worker that does what a test says and when: over the farm's own wire, so that the page sees what it sees of a real one. Its models
/// are its own, so that it gets nobody else's videos.
/// </summary>
internal sealed class ScriptedWorker : IDisposable
{
    private const int Slots = 6;
    private readonly HttpClient _http;
    private readonly Dictionary<string, LeaseGrant> _held = [];
    private string _id = "";
    private RegisterWorkerRequest _registration = null!;

    private ScriptedWorker(Uri farm, string key)
    {
        _http = new HttpClient { BaseAddress = farm };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public static async Task<ScriptedWorker> StartAsync(Uri farm, string key, string name, params ModelShape[] models)
    {
        var worker = new ScriptedWorker(farm, key);
        var registration = SimulatedWorker.Registration(name, models) with
        {
            Slots =
            [
                .. Enumerable.Range(0, Slots).Select(i => new SlotDescription
                {
                    Id = $"cuda:{i}",
                    Kind = SlotKind.Cuda,
                    Card = "NVIDIA GeForce RTX 4090",
                    ComputeCapability = new Version(8, 9),
                    TotalBytes = 24L << 30,
                }),
            ],
        };
        worker._registration = registration;
        await worker.StillThereAsync();
        return worker;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Silent for half a minute, it would count as gone.</summary>
    public async Task StillThereAsync() =>
        _id = (await PostAsync<RegisterWorkerReply>("/worker/v1/register", _registration)).WorkerId;

    /// <summary>It stops in order.</summary>
    public Task GoodbyeAsync() => PostAsync<GoodbyeReply>("/worker/v1/goodbye", new GoodbyeRequest(_id, SimulatedWorker.Instance));

    /// <summary>Takes what waits until it has the video.</summary>
    public async Task<LeaseGrant> TakeAsync(string id)
    {
        while (!_held.ContainsKey(id))
        {
            var free = Enumerable.Range(0, Slots).First(i => _held.Count <= i);
            var grant = await PostAsync<LeaseGrant?>(
                "/worker/v1/leases",
                new LeaseRequest
                {
                    Instance = SimulatedWorker.Instance,
                    WorkerId = _id,
                    SlotId = string.Create(CultureInfo.InvariantCulture, $"cuda:{free}"),
                    FreeBytes = 24L << 30,
                    WaitSeconds = 10,
                }
            );
            Assert.True(grant is not null, $"nothing waits, and not video {id}");
            _held[grant.JobId] = grant;
        }

        return _held[id];
    }

    public Task StepAsync(string id, int step, byte[]? preview = null)
    {
        var lease = _held[id];
        return PostAsync<ProgressReply>(
            $"/worker/v1/leases/{id}/progress",
            new ProgressReport
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Stage = RenderStage.Denoising,
                Step = step,
                Steps = lease.Spec.Steps,
                Preview = preview,
                PreviewType = preview is null ? null : "image/png",
            }
        );
    }

    /// <summary>Still at work, as the row is told.</summary>
    public Task<RenewReply> RenewAsync(string id, int step)
    {
        var lease = _held[id];
        return PostAsync<RenewReply>(
            $"/worker/v1/leases/{id}/renew",
            new RenewRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Stage = RenderStage.Denoising,
                Step = step,
                Steps = lease.Spec.Steps,
            }
        );
    }

    public async Task CompleteAsync(string id, Film film)
    {
        var lease = _held[id];
        var artifacts = new List<Artifact>();
        foreach (var (kind, bytes) in film.Files)
        {
            artifacts.Add(await UploadAsync(lease, kind, bytes));
        }

        await PostAsync<LeaseOutcome>(
            $"/worker/v1/leases/{id}/complete",
            new CompleteRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Artifacts = artifacts,
                Measurements = new Measurements
                {
                    LoadSeconds = 0.2,
                    EncodeTextSeconds = 0.1,
                    StepSeconds = 0.02,
                    DenoiseSeconds = 0.4,
                    DecodeSeconds = 0.2,
                    UploadSeconds = 0.05,
                    PeakBytes = 7_500L << 20,
                    PredictedPeakBytes = 7_900L << 20,
                    Card = "NVIDIA GeForce RTX 4090",
                },
            }
        );
        _held.Remove(id);
    }

    public async Task FailAsync(string id, FailureReason reason, string message, string log)
    {
        var lease = _held[id];
        await PostAsync<LeaseOutcome>(
            $"/worker/v1/leases/{id}/fail",
            new FailRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Reason = reason,
                Message = message,
                LogTail = log,
            }
        );
        _held.Remove(id);
    }

    private async Task<Artifact> UploadAsync(LeaseGrant lease, ArtifactKind kind, byte[] bytes)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var asked = await PostAsync<UploadReply>(
            $"/worker/v1/leases/{lease.JobId}/uploads",
            new UploadRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Kind = UploadKinds.Of(kind),
                SizeBytes = bytes.Length,
                Sha256 = sha256,
                PartsMd5 = [Convert.ToBase64String(Md5Of(bytes))],
            }
        );
        var part = Assert.Single(asked.Parts);
        using var content = new ByteArrayContent(bytes);
        using var put = new HttpRequestMessage(HttpMethod.Put, part.Url) { Content = content };
        foreach (var (name, value) in part.Headers)
        {
            if (!put.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var stored = await _http.SendAsync(put);
        Assert.True(stored.IsSuccessStatusCode, await stored.Content.ReadAsStringAsync());
        var done = await PostAsync<UploadedObject>(
            $"/worker/v1/leases/{lease.JobId}/uploads/{asked.UploadId}/complete",
            new UploadCompleteRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Etags = [(stored.Headers.ETag?.Tag ?? "").Trim('"')],
            }
        );
        return new Artifact(kind, done.Key, UploadKinds.ContentType(UploadKinds.Of(kind)), done.SizeBytes, done.Sha256);
    }

#pragma warning disable CA5351 // What S3 checks parts by
    private static byte[] Md5Of(byte[] bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351

    private async Task<T> PostAsync<T>(string path, object body)
    {
        using var content = new StringContent(
            JsonSerializer.Serialize(body, body.GetType(), ContractsJson.Default),
            Encoding.UTF8,
            "application/json"
        );
        using var reply = await _http.PostAsync(path, content);
        var text = await reply.Content.ReadAsStringAsync();
        Assert.True(reply.IsSuccessStatusCode, $"{path}: {text}");
        return text.Length == 0 ? default! : (T)JsonSerializer.Deserialize(text, typeof(T), ContractsJson.Default)!;
    }
}
