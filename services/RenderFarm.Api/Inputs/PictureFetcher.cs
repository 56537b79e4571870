using System.Text;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Outbound;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Inputs;

/// <summary>
/// Gets what an <c>image_url</c> names: out of the URL itself, or from the internet through the guard. Every address on
/// the way, those of redirects too, is judged for itself; size and time are bounded.
/// </summary>
internal sealed class PictureFetcher(OutboundGuard guard, TimeProvider time) : IDisposable
{
    private const int MaxRedirects = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly HttpClient _http = new(guard.CreateHandler())
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { { "User-Agent", "RenderFarm" }, { "Accept", "image/*" } },
    };

    /// <param name="reference">A link.</param>
    /// <param name="param">The field that holds the URL.</param>
    /// <exception cref="ApiErrorException">400 or 413, naming the field: there is no such picture for us.</exception>
    public async Task<SpooledFile> FetchAsync(InputReference reference, string param, CancellationToken cancellationToken)
    {
        var content =
            reference.Text is { } text ? await UnpackAsync(text.Open(), param, cancellationToken)
            : reference.ImageUrl!.StartsWith(DataUrl.Scheme, StringComparison.OrdinalIgnoreCase)
                ? await UnpackAsync(new MemoryStream(Encoding.UTF8.GetBytes(reference.ImageUrl)), param, cancellationToken)
            : await GetAsync(reference.ImageUrl, param, cancellationToken);
        return content ?? throw ApiError.PartTooLarge(param, BodyLimits.File).AsException();
    }

    public void Dispose() => _http.Dispose();

    private static async Task<SpooledFile?> UnpackAsync(Stream url, string param, CancellationToken cancellationToken)
    {
        await using var text = url;
        try
        {
            await using var content = DataUrl.Open(text);
            return await SpooledFile.WriteAsync(content, BodyLimits.File, cancellationToken);
        }
        catch (FormatException e)
        {
            throw Wrong(param, e.Message);
        }
    }

    private async Task<SpooledFile?> GetAsync(string url, string param, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            for (var hop = 0; ; hop++)
            {
                if (guard.FaultOf(url) is { } fault)
                {
                    throw Wrong(param, hop == 0 ? fault : $"redirects to an address that {fault}");
                }

                using var answer = await _http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, ended.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return answer.Content.Headers.ContentLength > BodyLimits.File
                        ? null
                        : await SpooledFile.WriteAsync(await answer.Content.ReadAsStreamAsync(ended.Token), BodyLimits.File, ended.Token);
                }

                if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308) || answer.Headers.Location is not { } target)
                {
                    throw Wrong(param, $"could not be fetched: the server answered {(int)answer.StatusCode}");
                }

                if (hop == MaxRedirects)
                {
                    throw Wrong(param, $"could not be fetched: it redirects more than {MaxRedirects} times");
                }

                url = new Uri(new Uri(url), target).AbsoluteUri;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Wrong(param, $"could not be fetched: it did not arrive within {Patience.TotalSeconds:0} s");
        }
        catch (HttpRequestException e)
        {
            throw Wrong(
                param,
                $"could not be fetched: {(e.InnerException as OutboundRefusedException ?? (Exception)e).Message.TrimEnd('.')}"
            );
        }
        catch (Exception e) when (e is IOException or UriFormatException)
        {
            throw Wrong(param, $"could not be fetched: {e.Message.TrimEnd('.')}");
        }
    }

    private static ApiErrorException Wrong(string param, string what) => ApiError.InvalidValue(param, $"'{param}' {what}.").AsException();
}
