using System.Globalization;
using System.Net.Sockets;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Api;

/// <summary>
/// Links that the API hands out: inputs to fetch, parts to store. Those of the store carry their own signature; this worker's key goes to
/// the API alone.
/// </summary>
internal sealed class FarmLinks(FarmApi api) : IDisposable
{
    /// <summary>Of one part: what a line of 15 kB a second needs.</summary>
    private static readonly TimeSpan PartPatience = TimeSpan.FromMinutes(10);

    private readonly HttpClient _elsewhere = new(
        new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseProxy = false,
        }
    )
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>What is at the link, as it comes.</summary>
    /// <exception cref="FarmApiException"/>
    public async Task<Stream> OpenAsync(string url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, api.AddressOf(url));
        var response = await SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        }

        using (response)
        {
            throw Refused(request, response);
        }
    }

    /// <summary>Stores one part.</summary>
    /// <param name="content">All of it, of this length.</param>
    /// <returns>The store's name for it.</returns>
    /// <exception cref="FarmApiException">It can't be stored by this link now; another one may be asked for.</exception>
    public async Task<string> PutAsync(PartLink link, Stream content, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(PartPatience);
        using var request = new HttpRequestMessage(HttpMethod.Put, api.AddressOf(link.Url)) { Content = new StreamContent(content) };
        request.Content.Headers.ContentLength = content.Length;
        foreach (var (name, value) in link.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        try
        {
            using var response = await SendAsync(request, bounded.Token);
            var etag = response.IsSuccessStatusCode ? response.Headers.ETag?.Tag : throw Refused(request, response);
            return etag?.Trim('"') ?? throw new FarmApiException($"{Place(request)} took a part and named no ETag", null, null);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            var minutes = PartPatience.TotalMinutes.ToString("0", CultureInfo.InvariantCulture);
            throw new FarmApiException($"{Place(request)} did not take a part within {minutes} minutes", null, null, fault);
        }
        catch (Exception fault) when (fault is HttpRequestException or SocketException or IOException)
        {
            throw new FarmApiException($"{Place(request)} can't be reached: {fault.Message}", null, null, fault);
        }
    }

    public void Dispose() => _elsewhere.Dispose();

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        api.IsOwn(request.RequestUri!)
            ? api.SendAsync(request, cancellationToken)
            : _elsewhere.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    private static FarmApiException Refused(HttpRequestMessage request, HttpResponseMessage response) =>
        new($"{Place(request)} answered {request.Method} with {(int)response.StatusCode}", response.StatusCode, null);

    /// <summary>Without the query: a signature is for no log.</summary>
    private static string Place(HttpRequestMessage request) => request.RequestUri!.GetLeftPart(UriPartial.Path);
}
