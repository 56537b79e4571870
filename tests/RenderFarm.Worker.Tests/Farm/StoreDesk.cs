using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>
/// The store that links of a <see cref="LeaseDesk"/> lead to, on a socket of its own as S3 has: takes parts by their links and nothing
/// else, keeps a ledger of what it was sent, and can be away, let links run out, or break off in the middle of a part.
/// </summary>
[SuppressMessage("Security", "CA5351", Justification = "What Content-MD5 and ETag are.")]
internal sealed class StoreDesk : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Upload> _uploads = new(StringComparer.Ordinal);
    private int _refused;
    private int _begun;

    private StoreDesk(WebApplication app) => _app = app;

    /// <summary>Connections are cut without an answer, and the API that needs it says so.</summary>
    public bool Away { get; set; }

    /// <summary>The next so many parts are refused as by a link that is over.</summary>
    public int LinksOver { get; set; }

    /// <summary>After so many parts every connection is cut in the middle of the next; null: never.</summary>
    public int? CutAfter { get; set; }

    /// <summary>The API refuses every file for what it is.</summary>
    public bool Refuses { get; set; }

    /// <summary>Bytes by their keys: what was completed.</summary>
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>Every part that was taken, in order.</summary>
    public ConcurrentQueue<int> Taken { get; } = new();

    /// <summary>Requests for links.</summary>
    public ConcurrentQueue<UploadRequest> Asked { get; } = new();

    /// <summary>What came as <c>Authorization</c>; a store is shown none.</summary>
    public ConcurrentQueue<string> KeysSeen { get; } = new();

    /// <summary>Parts that were not taken, for whatever reason.</summary>
    public int Refused => Volatile.Read(ref _refused);

    public static string KeyOf(LeaseId lease, UploadKind kind) => $"videos/{lease.JobId}/{lease.Name.InJob}/{Word.Of(kind)}";

    public static async Task<StoreDesk> OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var desk = new StoreDesk(app);
        app.MapPut("/{id}/{number:int}", desk.PutAsync);
        await app.StartAsync();
        return desk;
    }

    /// <summary>Goes on with the upload that was begun of this file, or begins it.</summary>
    public UploadReply Begin(LeaseId lease, UploadRequest request)
    {
        Asked.Enqueue(request);
        var id = $"{lease.Name}-{Word.Of(request.Kind)}";
        var upload = _uploads.GetOrAdd(id, _ => new Upload(KeyOf(lease, request.Kind), request, new()));
        return new UploadReply
        {
            UploadId = id,
            Received = [.. upload.Parts.Select(part => new ReceivedPart(part.Key, Etag(part.Value)))],
            Parts =
            [
                .. request
                    .PartsMd5.Index()
                    .Where(part => !upload.Parts.ContainsKey(part.Index + 1))
                    .Select(part => new PartLink(
                        part.Index + 1,
                        string.Create(CultureInfo.InvariantCulture, $"{_app.Urls.First()}/{id}/{part.Index + 1}"),
                        new Dictionary<string, string> { ["Content-MD5"] = part.Item }
                    )),
            ],
            ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
        };
    }

    /// <returns>Null when the parts are not those of the file.</returns>
    public UploadedObject? Complete(string id, UploadCompleteRequest request)
    {
        if (!_uploads.TryGetValue(id, out var upload))
        {
            return null;
        }

        var parts = upload.Parts.OrderBy(part => part.Key).Select(part => part.Value).ToList();
        byte[] whole = [.. parts.SelectMany(part => part)];
        if (!parts.Select(Etag).SequenceEqual(request.Etags) || Convert.ToHexStringLower(SHA256.HashData(whole)) != upload.Request.Sha256)
        {
            return null;
        }

        Objects[upload.Key] = whole;
        return new UploadedObject(upload.Key, whole.Length, upload.Request.Sha256);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static string Etag(byte[] part) => Convert.ToHexStringLower(MD5.HashData(part));

    private async Task PutAsync(HttpContext context, string id, int number)
    {
        if (context.Request.Headers.Authorization is [{ } key])
        {
            KeysSeen.Enqueue(key);
        }

        if (Away || Interlocked.Increment(ref _begun) > CutAfter)
        {
            Interlocked.Increment(ref _refused);
            _ = await context.Request.Body.ReadAsync(new byte[1]);
            context.Abort();
            return;
        }

        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content, context.RequestAborted);
        var part = content.ToArray();
        if (LinksOver-- > 0)
        {
            Interlocked.Increment(ref _refused);
            context.Response.StatusCode = 403;
        }
        else if (context.Request.Headers["Content-MD5"] != Convert.ToBase64String(MD5.HashData(part)))
        {
            Interlocked.Increment(ref _refused);
            context.Response.StatusCode = 400;
        }
        else
        {
            _uploads[id].Parts[number] = part;
            Taken.Enqueue(number);
            context.Response.Headers.ETag = $"\"{Etag(part)}\"";
        }
    }

    private sealed record Upload(string Key, UploadRequest Request, ConcurrentDictionary<int, byte[]> Parts);
}
