using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Spool;

/// <summary>
/// Finished videos on their way to the store, each in <c>spool/{lease}/</c>. An entry appears by a rename and goes
/// when the API has recorded its ending; in between the worker may be killed, and the next one resumes. Those whose job the
/// API does not know are <see cref="UnclaimedVideos"/>. Whatever lies here and is not under way, for whichever reason, is offered again at
/// each start and every hour (<see cref="UploadOffers"/>).
/// </summary>
internal sealed class UploadSpool : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (Task Upload, long Bytes, DateTimeOffset Since)> _entries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _directory;
    private readonly SpoolUpload _upload;
    private readonly UnclaimedVideos _unclaimed;
    private readonly WorkerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<UploadSpool> _log;

    public UploadSpool(
        IOptions<WorkerOptions> options,
        SpoolUpload upload,
        WorkerMetrics metrics,
        TimeProvider time,
        ILogger<UploadSpool> log
    )
    {
        (_directory, _upload, _metrics, _time, _log) = (options.Value.SpoolDirectory, upload, metrics, time, log);
        _unclaimed = new UnclaimedVideos(_directory, time);
    }

    public int Count => _entries.Count;

    public long Bytes => _entries.Values.Sum(entry => entry.Bytes);

    /// <summary>Since the video was finished that waits longest; null where none waits.</summary>
    public TimeSpan? OldestAge =>
        _entries.Values.Min(entry => (DateTimeOffset?)entry.Since) is { } since ? _time.GetUtcNow() - since : null;

    /// <summary>Takes over an attempt's folder, and returns at once.</summary>
    /// <exception cref="IOException">The folder can't be moved.</exception>
    public void Accept(string folder, SpoolManifest manifest, LeaseSettings settings)
    {
        Directory.CreateDirectory(_directory);
        var entry = Path.Combine(_directory, manifest.Lease.ToString());
        Directory.Move(folder, entry);
        DurableFile.SyncFolder(_directory);
        Begin(entry, manifest, settings);
    }

    /// <summary>Begins the upload of all that lies here and is not under way.</summary>
    public async Task OfferAsync(LeaseSettings settings, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        foreach (var entry in Directory.EnumerateDirectories(_directory).Where(IsLeftHere))
        {
            await ResumeAsync(entry, settings, cancellationToken);
        }

        foreach (var (entry, isOverdue) in _unclaimed.Entries().Where(kept => !_entries.ContainsKey(kept.Entry)))
        {
            if (isOverdue)
            {
                await RemoveAsync(entry, cancellationToken);
            }
            else
            {
                await ResumeAsync(entry, settings, cancellationToken);
            }
        }
    }

    /// <summary>Completes when nothing waits for upload any more.</summary>
    public Task WhenEmptyAsync() => Task.WhenAll(_entries.Values.Select(entry => entry.Upload));

    /// <summary>Stops uploading; entries stay on disk for the next life.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await WhenEmptyAsync();
        _stop.Dispose();
    }

    private async Task ResumeAsync(string entry, LeaseSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await SpoolManifest.ReadAsync(entry, cancellationToken);
            _log.UploadResumed(manifest.JobId, manifest.Fence);
            Begin(entry, manifest, settings);
        }
        catch (DirectoryNotFoundException)
        {
            // Its upload has ended since it was seen
        }
        catch (Exception fault) when (fault is FileNotFoundException or JsonException)
        {
            _log.EntryRemoved(entry, fault.Message);
            Directory.Delete(entry, recursive: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A disk in trouble is no reason to throw a finished video away
            _log.EntryUnreadable(entry, fault.Message);
        }
    }

    private bool IsLeftHere(string entry) => Path.GetFileName(entry) != UnclaimedVideos.FolderName && !_entries.ContainsKey(entry);

    private async Task RemoveAsync(string entry, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await SpoolManifest.ReadAsync(entry, cancellationToken);
            Directory.Delete(entry, recursive: true);
            _log.NeverClaimed(entry);
            _metrics.Discarded(manifest.Model, Word.Of(LeaseLoss.Unclaimed));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            _log.EntryUnreadable(entry, fault.Message);
        }
    }

    private void Begin(string entry, SpoolManifest manifest, LeaseSettings settings)
    {
        // Somebody else may have begun it in this moment
        var isOurs = new TaskCompletionSource<bool>();
        var upload = Task.Run(async () =>
        {
            if (await isOurs.Task)
            {
                await RunAsync(entry, manifest, settings);
            }
        });
        isOurs.SetResult(
            _entries.TryAdd(entry, (upload, manifest.Files.Sum(file => file.SizeBytes), SpoolManifest.WrittenAt(entry)))
        );
    }

    private async Task RunAsync(string entry, SpoolManifest manifest, LeaseSettings settings)
    {
        try
        {
            if (await _upload.RunAsync(entry, manifest, settings, _stop.Token) == UploadEnd.Served)
            {
                Directory.Delete(entry, recursive: true);
            }
            else if (!_unclaimed.Holds(entry))
            {
                _log.JobUnknown(_unclaimed.Keep(entry), UnclaimedVideos.KeptFor.TotalDays);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _log.EntryStays(entry);
        }
        catch (Exception fault)
        {
            _log.UploadFault(fault, entry);
        }
        finally
        {
            _entries.TryRemove(entry, out _);
        }
    }
}
