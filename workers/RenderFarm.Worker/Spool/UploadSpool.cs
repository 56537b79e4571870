using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Spool;

/// <summary>
/// Finished videos on their way to the store, each in <c>spool/{lease}/</c>. An entry appears by a rename and goes
/// when the API has recorded its ending; in between the worker may be killed, and the next one resumes.
/// </summary>
internal sealed class UploadSpool : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (Task Upload, long Bytes)> _entries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _directory;
    private readonly SpoolUpload _upload;
    private readonly ILogger<UploadSpool> _log;

    public UploadSpool(IOptions<WorkerOptions> options, SpoolUpload upload, WorkerMetrics metrics, ILogger<UploadSpool> log)
    {
        (_directory, _upload, _log) = (options.Value.SpoolDirectory, upload, log);
        metrics.ObserveSpool(() => Count, () => Bytes);
    }

    public int Count => _entries.Count;

    public long Bytes => _entries.Values.Sum(entry => entry.Bytes);

    /// <summary>Takes over an attempt's folder, and returns at once.</summary>
    /// <exception cref="IOException">The folder can't be moved.</exception>
    public void Accept(string folder, SpoolManifest manifest, LeaseSettings settings)
    {
        Directory.CreateDirectory(_directory);
        var entry = Path.Combine(_directory, manifest.Lease.ToString());
        Directory.Move(folder, entry);
        Artifacts.DurableFile.SyncFolder(_directory);
        Begin(entry, manifest, settings);
    }

    /// <summary>Starts the uploads that a previous life of this worker left behind.</summary>
    public async Task ResumeAsync(LeaseSettings settings, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        foreach (var entry in Directory.EnumerateDirectories(_directory))
        {
            try
            {
                var manifest = await SpoolManifest.ReadAsync(entry, cancellationToken);
                _log.UploadResumed(manifest.JobId, manifest.Fence);
                Begin(entry, manifest, settings);
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

    private void Begin(string entry, SpoolManifest manifest, LeaseSettings settings)
    {
        var listed = new TaskCompletionSource();
        var upload = Task.Run(async () =>
        {
            await listed.Task;
            await RunAsync(entry, manifest, settings);
        });
        _entries[entry] = (upload, manifest.Files.Sum(file => file.SizeBytes));
        listed.SetResult();
    }

    private async Task RunAsync(string entry, SpoolManifest manifest, LeaseSettings settings)
    {
        try
        {
            await _upload.RunAsync(entry, manifest, settings, _stop.Token);
            Directory.Delete(entry, recursive: true);
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
