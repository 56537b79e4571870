using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Workers;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Workers' users on RabbitMQ, by its management interface (<c>Bus:ManagementUri</c>). The user's name is the worker's id. What fails to be
/// removed is removed by the next pass of <see cref="RevokedUsers"/>.
/// </summary>
internal sealed partial class RabbitMqWorkers : IWorkerBroker, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly HttpClient _management;
    private readonly Uri _reachedAt;
    private readonly string _virtualHost;
    private readonly ILogger<RabbitMqWorkers> _logger;

    public RabbitMqWorkers(IOptions<BusOptions> options, ILogger<RabbitMqWorkers> logger)
    {
        var bus = options.Value;
        var management = new Uri(bus.ManagementUri);
        _logger = logger;
        _reachedAt = new Uri(bus.WorkerUri.Length > 0 ? bus.WorkerUri : bus.Uri);
        _virtualHost = Uri.UnescapeDataString(new Uri(bus.Uri).AbsolutePath.TrimStart('/')) is { Length: > 0 } named ? named : "/";
        _management = new HttpClient
        {
            BaseAddress = new Uri(new UriBuilder(management) { UserName = "", Password = "" }.Uri.AbsoluteUri.TrimEnd('/') + "/api/"),
            Timeout = Patience,
        };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(management.UserInfo)))
        );
    }

    /// <summary>The users that workers have, by name.</summary>
    public async Task<IReadOnlySet<string>> NamesAsync(CancellationToken cancellationToken) =>
        (await _management.GetFromJsonAsync<List<User>>("users?columns=name", cancellationToken) ?? [])
            .Select(user => user.Name)
            .ToHashSet();

    public async Task<Uri?> AdmitAsync(string workerId, CancellationToken cancellationToken)
    {
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        // Queues of bells, which every worker of their class declares, and its own control queue; exchanges of the same names.
        var within = $@"^renderfarm\.(jobs\.[a-z0-9]+|worker\.{workerId})$";
        try
        {
            await PutAsync($"users/{workerId}", new { password, tags = "" }, cancellationToken);
            await PutAsync(
                $"permissions/{Uri.EscapeDataString(_virtualHost)}/{workerId}",
                new
                {
                    configure = within,
                    write = within,
                    read = within,
                },
                cancellationToken
            );
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotAdmitted(workerId, e.Message);
            return null;
        }

        return new UriBuilder(_reachedAt)
        {
            UserName = workerId,
            Password = password,
            Path = _virtualHost == "/" ? "" : Uri.EscapeDataString(_virtualHost),
        }.Uri;
    }

    public async Task RemoveAsync(string workerId, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _management.DeleteAsync($"users/{workerId}", cancellationToken);
            if (answer.StatusCode != HttpStatusCode.NotFound)
            {
                answer.EnsureSuccessStatusCode();
            }
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotRemoved(workerId, e.Message);
        }
    }

    public void Dispose() => _management.Dispose();

    private async Task PutAsync<T>(string path, T body, CancellationToken cancellationToken)
    {
        using var answer = await _management.PutAsJsonAsync(path, body, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    [LoggerMessage(
        EventId = 410,
        Level = LogLevel.Warning,
        Message = "Worker {Worker} gets no user on the broker now and works by long poll until it starts again: {Cause}"
    )]
    private partial void LogNotAdmitted(string worker, string cause);

    [LoggerMessage(
        EventId = 411,
        Level = LogLevel.Warning,
        Message = "The broker's user of worker {Worker}, which was revoked, can't be removed now; that is tried again: {Cause}"
    )]
    private partial void LogNotRemoved(string worker, string cause);

    private sealed record User(string Name);
}
