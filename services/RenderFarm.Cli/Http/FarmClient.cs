using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RenderFarm.Cli.Http;

/// <summary>The farm's HTTP interface, with its errors turned into <see cref="FarmException"/>.</summary>
internal sealed class FarmClient : IDisposable
{
    private const int LargestPage = 100;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    /// <param name="baseUrl">Without <c>/v1</c>.</param>
    public FarmClient(string baseUrl, string key, TimeProvider time, HttpMessageHandler? handler = null)
    {
        _time = time;
        Farm = baseUrl.TrimEnd('/');
        _http = handler is null ? new HttpClient() : new HttpClient(handler);
        _http.BaseAddress = new Uri(baseUrl.TrimEnd('/') + "/v1/");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Its address, without a slash at the end.</summary>
    public string Farm { get; }

    public Task<Video> SubmitAsync(VideoRequest request, CancellationToken cancellationToken) =>
        SendAsync(
            () => new(HttpMethod.Post, "videos") { Content = JsonContent.Create(request, FarmJson.Default.VideoRequest) },
            FarmJson.Default.Video,
            cancellationToken
        );

    /// <param name="files">Pictures on this machine by their field; with any, the request goes as a form.</param>
    /// <param name="idempotencyKey">Makes the submission safe to repeat.</param>
    public Task<JsonElement> SubmitAsync(
        VideoRequest request,
        IReadOnlyDictionary<string, string> files,
        string? idempotencyKey,
        CancellationToken cancellationToken
    ) =>
        SendJsonAsync(
            HttpMethod.Post,
            "videos",
            () => files.Count == 0 ? JsonContent.Create(request, FarmJson.Default.VideoRequest) : VideoForm.Of(request, files),
            cancellationToken,
            idempotencyKey
        );

    /// <summary>What the farm answers, as it is.</summary>
    public Task<JsonElement> GetJsonAsync(string path, CancellationToken cancellationToken) =>
        SendJsonAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <inheritdoc cref="GetJsonAsync"/>
    public Task<JsonElement> SendJsonAsync(
        HttpMethod method,
        string path,
        Func<HttpContent>? content,
        CancellationToken cancellationToken,
        string? idempotencyKey = null
    ) =>
        SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(method, path) { Content = content?.Invoke() };
                if (idempotencyKey is not null)
                {
                    request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
                }

                return request;
            },
            FarmJson.Default.JsonElement,
            cancellationToken
        );

    public Task<Video> GetAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(() => new(HttpMethod.Get, Of(id)), FarmJson.Default.Video, cancellationToken);

    /// <summary>A list of the farm, page after page.</summary>
    /// <param name="path">Of the list.</param>
    /// <param name="most">No more of it than this.</param>
    /// <param name="after">Begin after this id.</param>
    /// <param name="order"><c>asc</c> or <c>desc</c>.</param>
    /// <param name="filter">More of the query, with an ampersand before each part.</param>
    public async IAsyncEnumerable<JsonElement> PagesAsync(
        string path,
        int most,
        string? after,
        string order,
        [EnumeratorCancellation] CancellationToken cancellationToken,
        string filter = ""
    )
    {
        for (var left = most; left > 0;)
        {
            var place = after is null ? "" : $"&after={Uri.EscapeDataString(after)}";
            var page = await GetJsonAsync(
                $"{path}?limit={Math.Min(left, LargestPage)}&order={order}{place}{filter}",
                cancellationToken
            );
            foreach (var one in page.GetProperty("data").EnumerateArray())
            {
                left--;
                yield return one;
            }
            after = page.GetProperty("last_id").GetString();
            if (!page.GetProperty("has_more").GetBoolean() || after is null)
            {
                yield break;
            }
        }
    }

    /// <summary>An answer of JSON Lines, as it comes.</summary>
    public async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var answer = await AnswerAsync(() => new(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
            {
                yield return line;
            }
        }
    }

    /// <summary>Asks again and again until the video is completed or has failed.</summary>
    public async Task<Video> WatchAsync(string id, Action<Video> onUpdate, CancellationToken cancellationToken)
    {
        while (true)
        {
            var video = await GetAsync(id, cancellationToken);
            onUpdate(video);
            if (video.IsOver)
            {
                return video;
            }

            await Task.Delay(PollInterval, _time, cancellationToken);
        }
    }

    /// <summary>A file of a video, whole or not at all: written beside its place first, then renamed.</summary>
    /// <param name="variant">As the API calls it; null: the video itself.</param>
    public async Task DownloadAsync(string id, OutputFile file, CancellationToken cancellationToken, string? variant = null)
    {
        var part = file.PartPath();
        try
        {
            using var answer = await AnswerAsync(
                () => new(HttpMethod.Get, $"{Of(id)}/content{(variant is null ? "" : $"?variant={variant}")}"),
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            Directory.CreateDirectory(Path.GetDirectoryName(part)!);
            await using (var written = File.Create(part))
            {
                await answer.Content.CopyToAsync(written, cancellationToken);
                if (answer.Content.Headers.ContentLength is { } length && written.Length != length)
                {
                    throw new FarmException("incomplete_download", $"got {written.Length} of {length} bytes of {id}");
                }
            }
            file.Take(part);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("cannot_write", $"can't write {file.FullPath}: {error.Message}", error);
        }
        finally
        {
            File.Delete(part);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The address of a video, or of a batch.</summary>
    public static string Of(string id) => $"{(BatchStatus.IsId(id) ? "batches" : "videos")}/{Uri.EscapeDataString(id)}";

    private async Task<T> SendAsync<T>(Func<HttpRequestMessage> request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var answer = await AnswerAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await answer.Content.ReadFromJsonAsync(type, cancellationToken)
            ?? throw new FarmException("bad_answer", $"the farm at {_http.BaseAddress} answered with nothing");
    }

    private async Task<HttpResponseMessage> AnswerAsync(
        Func<HttpRequestMessage> request,
        HttpCompletionOption completion,
        CancellationToken cancellationToken
    )
    {
        HttpResponseMessage answer;
        using var message = request();
        try
        {
            answer = await _http.SendAsync(message, completion, cancellationToken);
        }
        catch (HttpRequestException error)
        {
            throw new FarmException(
                "unreachable",
                $"no farm answers at {_http.BaseAddress}: {error.Message}. Start one with ./farm up, or name another with --url",
                error
            );
        }
        if (answer.IsSuccessStatusCode)
        {
            return answer;
        }

        using (answer)
        {
            throw await ErrorOfAsync(answer, cancellationToken);
        }
    }

    private static async Task<FarmException> ErrorOfAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            if (JsonSerializer.Deserialize(body, FarmJson.Default.ErrorBody)?.Error is { } error)
            {
                return new FarmException(error.Code, error.Message)
                {
                    Param = error.Param,
                    Lines = error.Lines,
                    Status = (int)answer.StatusCode,
                };
            }
        }
        catch (JsonException)
        {
            // Not this farm's error body (a proxy's page, say): the status has to do.
        }
        return new FarmException(
            $"http_{(int)answer.StatusCode}",
            $"{(int)answer.StatusCode} {answer.ReasonPhrase}: {body[..Math.Min(body.Length, 500)]}"
        )
        {
            Status = (int)answer.StatusCode,
        };
    }
}
