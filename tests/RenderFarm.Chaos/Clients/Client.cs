using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace RenderFarm.Chaos.Clients;

/// <summary>
/// A user with a key of his own: submits, looks, cancels, deletes and downloads, all at once and through every fault. A
/// submission is repeated under its idempotency key until it is answered. Whatever he sees that a user must never see
/// goes into the ledger as a breach.
/// </summary>
internal sealed class Client(string name, HttpClient http, JobLedger ledger, int seed, string model)
{
    private const int MostOpen = 4;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(400);
    private readonly Random _random = new(seed);
    private readonly List<LedgerEntry> _mine = [];
    private int _submitted;

    /// <summary>Works until told to stop, then finishes what it was doing: no submission is left unanswered.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await ActAsync();
            try
            {
                await Task.Delay(Beat, TimeProvider.System, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Looks at every job of its own until each is final or gone.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        foreach (var job in _mine.Where(job => !job.DeleteAccepted))
        {
            while (!job.IsFinal && await LookAsync(job))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Delay(Beat, TimeProvider.System, cancellationToken);
            }
        }
    }

    private async Task ActAsync()
    {
        var open = _mine.Where(job => job is { IsFinal: false, DeleteAccepted: false }).ToList();
        foreach (var job in open.Take(2))
        {
            await LookAsync(job);
        }

        if (open.Count < MostOpen)
        {
            await SubmitAsync();
        }

        var roll = _random.NextDouble();
        if (roll < 0.012 && Pick(open) is { } unwanted)
        {
            await CancelAsync(unwanted);
        }
        else if (roll < 0.02 && Pick(_mine) is { } old)
        {
            await DeleteAsync(old);
        }
        else if (roll < 0.12 && Pick(_mine.Where(job => job is { Status: "completed", DeleteSent: false })) is { } done)
        {
            await DownloadAsync(done);
        }
    }

    private LedgerEntry? Pick(IEnumerable<LedgerEntry> among)
    {
        var list = among.ToList();
        return list.Count == 0 ? null : list[_random.Next(list.Count)];
    }

    private async Task SubmitAsync()
    {
        var key = $"{name}-{++_submitted}";
        var body = new
        {
            model,
            prompt = $"{name}, clip {_submitted}: a square wanders",
            size = "64x48",
            frames = 5,
            steps = _random.Next(3, 25),
            seed = (long)_random.Next(),
            max_attempts = 10,
            priority = _random.Next(40, 61),
        };
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos") { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", key);
            var (status, answer) = await SendAsync("submit", request);
            if (status == HttpStatusCode.OK)
            {
                var entry = new LedgerEntry(answer.GetProperty("id").GetString()!, key, name);
                ledger.Accepted(entry);
                _mine.Add(entry);
                return;
            }
            await Task.Delay(Beat, TimeProvider.System);
        }
    }

    /// <returns>False when the job is gone.</returns>
    private async Task<bool> LookAsync(LedgerEntry job)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/videos/{job.Id}");
        var (status, answer) = await SendAsync("look", request);
        if (status == HttpStatusCode.NotFound && !job.DeleteSent)
        {
            ledger.Breaches.Enqueue($"{job.Id} was accepted, never deleted, and is not found");
        }

        if (status == HttpStatusCode.NotFound)
        {
            job.DeleteAccepted = true; // The answer to the deletion was lost
        }

        if (status != HttpStatusCode.OK)
        {
            return status != HttpStatusCode.NotFound;
        }

        if (job.DeleteAccepted)
        {
            ledger.Breaches.Enqueue($"{job.Id} is shown after its deletion was answered");
        }

        var seen = answer.GetProperty("status").GetString()!;
        if (job.IsFinal && seen != job.Status)
        {
            ledger.Breaches.Enqueue($"{job.Id} was {job.Status} and is {seen} now");
        }

        job.Status = seen;
        return true;
    }

    private async Task CancelAsync(LedgerEntry job)
    {
        job.CancelSent = true;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/videos/{job.Id}/cancel");
        var (status, _) = await SendAsync("cancel", request);
        job.CancelAccepted |= status == HttpStatusCode.OK;
    }

    private async Task DeleteAsync(LedgerEntry job)
    {
        job.DeleteSent = true;
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/v1/videos/{job.Id}");
        var (status, _) = await SendAsync("delete", request);
        job.DeleteAccepted |= status == HttpStatusCode.OK;
    }

    private async Task DownloadAsync(LedgerEntry job)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/videos/{job.Id}/content");
        try
        {
            using var response = await http.SendAsync(request);
            ledger.Answered("download", (int)response.StatusCode);
            if (!response.IsSuccessStatusCode)
            {
                Judge("download", response);
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    ledger.Breaches.Enqueue($"{job.Id} is completed and its content is not found");
                }

                return;
            }
            var content = await response.Content.ReadAsByteArrayAsync();
            var tag = response.Headers.ETag!.Tag.Trim('"');
            if (Convert.ToHexStringLower(SHA256.HashData(content)) != tag)
            {
                ledger.Breaches.Enqueue($"{job.Id}: the content is not what its tag says");
            }

            if (content.Length < 12 || !content.AsSpan(4, 4).SequenceEqual("ftyp"u8))
            {
                ledger.Breaches.Enqueue($"{job.Id}: the content is no MP4");
            }

            if (job.ContentTag is { } before && before != tag)
            {
                ledger.Breaches.Enqueue($"{job.Id} has had two visible results: {before} and {tag}");
            }

            job.ContentTag = tag;
            ledger.Downloaded();
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException or IOException)
        {
            ledger.Answered("download", 0);
        }
    }

    /// <returns>Status null when no answer came.</returns>
    private async Task<(HttpStatusCode? Status, JsonElement Answer)> SendAsync(string what, HttpRequestMessage request)
    {
        try
        {
            using var response = await http.SendAsync(request);
            ledger.Answered(what, (int)response.StatusCode);
            Judge(what, response);
            var text = await response.Content.ReadAsStringAsync();
            return (response.StatusCode, response.IsSuccessStatusCode ? JsonDocument.Parse(text).RootElement.Clone() : default);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException or IOException)
        {
            ledger.Answered(what, 0);
            return (null, default);
        }
    }

    /// <summary>An outage is 503 with a time to come back; nothing else may be the farm's fault.</summary>
    private void Judge(string what, HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is null)
        {
            ledger.Breaches.Enqueue($"{what}: 503 without Retry-After");
        }

        if ((int)response.StatusCode >= 500 && response.StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            ledger.Breaches.Enqueue(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what}: answered {(int)response.StatusCode} ({response.Headers.GetValues("x-request-id").FirstOrDefault()})"
                )
            );
        }
    }
}
