using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Polly;

namespace RenderFarm.Artifacts;

/// <summary>
/// The steps of S3's multipart uploads. The SDK keeps them to itself, ends all uploads of a key together, and presigns whole objects
/// only; so these few requests are made here, each by a link of <see cref="S3Signature"/> as those that are given away.
/// </summary>
internal sealed class S3Multipart
{
    private static readonly TimeSpan OwnLifetime = TimeSpan.FromMinutes(15);

    private readonly S3Connection _s3;
    private readonly TimeProvider _time;
    private readonly S3Signature _signature;

    public S3Multipart(S3Connection connection, TimeProvider time)
    {
        (_s3, _time) = (connection, time);
        var options = connection.Options;
        _signature = new S3Signature(options.AccessKey!, options.SecretKey!, options.Region);
    }

    /// <param name="key">Of one object; null: all that are open in the bucket.</param>
    public async Task<List<OpenUpload>> OpenAsync(string? key, CancellationToken cancellationToken)
    {
        List<OpenUpload> open = [];
        KeyValuePair<string, string>[] prefix = key is null ? [] : [new("prefix", key)];
        KeyValuePair<string, string>[] after = [];
        while (true)
        {
            var page = await SendAsync(
                new("list the uploads of", HttpMethod.Get, Key: null, [new("uploads", ""), .. prefix, .. after])
                {
                    Document = "ListMultipartUploadsResult",
                },
                cancellationToken
            );
            open.AddRange(
                page.Each("Upload")
                    .Select(upload => new OpenUpload(
                        upload.Text("Key"),
                        upload.Text("UploadId"),
                        DateTimeOffset.Parse(upload.Text("Initiated"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
                    ))
                    .Where(upload => key is null || upload.Key == key)
            );
            if (page.Text("IsTruncated") != "true")
            {
                return open;
            }

            after = [new("key-marker", page.Text("NextKeyMarker")), new("upload-id-marker", page.Text("NextUploadIdMarker"))];
        }
    }

    /// <returns>False: it had ended already.</returns>
    public async Task<bool> EndAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(new("end the upload of", HttpMethod.Delete, key, [new("uploadId", uploadId)]), cancellationToken);
            return true;
        }
        catch (UploadEndedException)
        {
            return false;
        }
    }

    public Task<S3Answer> SendAsync(S3Call call, CancellationToken cancellationToken) =>
        _s3.GuardedAsync(
            call.Verb,
            call.Key ?? _s3.Options.Bucket,
            call.Pipeline ?? _s3.Resilience.Small,
            async token =>
            {
                using var request = new HttpRequestMessage(call.Method, LinkTo(call, _s3.Options.Endpoint!, OwnLifetime));
                if (call.Method == HttpMethod.Post)
                {
                    var body = call.Body?.ToString(SaveOptions.DisableFormatting) ?? "";
                    request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
                }

                foreach (var (name, value) in call.Headers)
                {
                    if (!request.Headers.TryAddWithoutValidation(name, value))
                    {
                        request.Content!.Headers.TryAddWithoutValidation(name, value);
                    }
                }

                using var response = await _s3.Http.SendAsync(request, token);
                var answer = await S3Answer.ReadAsync(response, call.Key ?? _s3.Options.Bucket, token);
                return answer.Is(call.Document) ? answer : throw new HttpRequestException($"the S3 server sent no {call.Document}");
            },
            cancellationToken
        );

    /// <param name="call">Whose headers are part of the link.</param>
    /// <param name="endpoint">Where whoever follows it reaches the server.</param>
    /// <param name="lifetime">How long it is good for.</param>
    public Uri LinkTo(S3Call call, string endpoint, TimeSpan lifetime)
    {
        var path = call.Key is null ? "" : "/" + ObjectKeys.Checked(call.Key);
        return _signature.Presign(
            call.Method,
            new Uri($"{endpoint.TrimEnd('/')}/{_s3.Options.Bucket}{path}"),
            call.Query,
            call.Headers,
            _time.GetUtcNow(),
            lifetime
        );
    }
}

/// <param name="Key">Null for what is asked of the bucket.</param>
internal sealed record S3Call(string Verb, HttpMethod Method, string? Key, KeyValuePair<string, string>[] Query)
{
    public Dictionary<string, string> Headers { get; init; } = [];
    public XElement? Body { get; init; }

    /// <summary>What the answer has to be: a page of a proxy is no empty list.</summary>
    public string? Document { get; init; }

    /// <summary>How it is tried; null: as a call that moves no content.</summary>
    public ResiliencePipeline? Pipeline { get; init; }
}

internal sealed record OpenUpload(string Key, string Id, DateTimeOffset Initiated);
