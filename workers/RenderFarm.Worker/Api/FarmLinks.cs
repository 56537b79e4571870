using System.Globalization;
using System.Net.Sockets;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Api;

/// <summary>
/// Links that the API hands out: inputs to fetch, parts to store. Those of the store carry their own signature; this worker's key goes to
/// the API alone.
/// </summary>
internal sealed class FarmLinks(FarmApi api, TimeProvider time) : IDisposable
{
    /// <summary>With one part, or one input: what a line of 15 kB a second needs for 8 MiB.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

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

    /// <summary>Copies what is at the link.</summary>
    /// <exception cref="FarmApiException">It doesn't come, or not in time.</exception>
    public async Task FetchAsync(string url, Stream target, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, api.AddressOf(url));
        await BoundedAsync(
            request,
            "give an input",
            async bounded =>
            {
                using var response = await SendAsync(request, bounded);
                if (!response.IsSuccessStatusCode)
                {
                    throw Refused(request, response);
                }

                // A target that fails is not the link's fault
                await using var content = await response.Content.ReadAsStreamAsync(bounded);
                await content.CopyToAsync(target, bounded);
                return true;
            },
            cancellationToken
        );
    }

    /// <summary>Stores one part.</summary>
    /// <param name="content">All of it, of this length.</param>
    /// <returns>The store's name for it.</returns>
    /// <exception cref="FarmApiException">It can't be stored by this link now; another one may be asked for.</exception>
    public async Task<string> PutAsync(PartLink link, Stream content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, api.AddressOf(link.Url)) { Content = new StreamContent(content) };
        request.Content.Headers.ContentLength = content.Length;
        foreach (var (name, value) in link.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await BoundedAsync(
            request,
            "take a part",
            async bounded =>
            {
                using var response = await SendAsync(request, bounded);
                var etag = response.IsSuccessStatusCode ? response.Headers.ETag?.Tag : throw Refused(request, response);
                return etag?.Trim('"') ?? throw new FarmApiException($"{Place(request)} took a part and named no ETag", null, null);
            },
            cancellationToken
        );
    }

    public void Dispose() => _elsewhere.Dispose();

    /// <summary>A store that is frozen answers nothing and hangs up on nobody.</summary>
    private async Task<T> BoundedAsync<T>(
        HttpRequestMessage request,
        string what,
        Func<CancellationToken, Task<T>> move,
        CancellationToken cancellationToken
    )
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await move(bounded.Token);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            var minutes = Patience.TotalMinutes.ToString("0", CultureInfo.InvariantCulture);
            throw new FarmApiException($"{Place(request)} did not {what} within {minutes} minutes", null, null, fault);
        }
        catch (Exception fault)
            when (fault is HttpRequestException or SocketException or HttpIOException or IOException { InnerException: SocketException })
        {
            throw new FarmApiException($"{Place(request)} can't be reached: {fault.Message}", null, null, fault);
        }
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        api.IsOwn(request.RequestUri!)
            ? api.SendAsync(request, cancellationToken)
            : _elsewhere.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    private static FarmApiException Refused(HttpRequestMessage request, HttpResponseMessage response) =>
        new($"{Place(request)} answered {request.Method} with {(int)response.StatusCode}", response.StatusCode, null);

    /// <summary>Without the query: a signature is for no log.</summary>
    private static string Place(HttpRequestMessage request) => request.RequestUri!.GetLeftPart(UriPartial.Path);
}
