using Microsoft.Extensions.Options;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Encoding;

/// <summary>
/// Sees to it that no job is rendered for an encoder that can't write it. An encoder that fails at its trial quarantines every slot of
/// this worker, until a later trial goes well; a job that it failed has not failed itself.
/// </summary>
internal sealed class EncoderGuard(
    IOptions<WorkerOptions> options,
    EncoderTrial trial,
    SlotDiscovery discovery,
    TimeProvider time,
    ILogger<EncoderGuard> log
) : IDisposable
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);
    private readonly SemaphoreSlim _one = new(1);
    private string? _refusal;
    private long _tried;
    private ProgramStamp? _triedProgram;

    /// <summary>At start.</summary>
    /// <exception cref="WorkerSettingException">There is no such program.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (ProgramPath.Find(options.Value.FfmpegPath) is null)
        {
            throw new WorkerSettingException($"Worker:FfmpegPath: {FfmpegFault.Missing(options.Value.FfmpegPath).Message}");
        }

        await TryAsync(cancellationToken);
    }

    /// <summary>Before a slot asks for work: tries an encoder again that was refused a while ago, and one that has been replaced.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var due = _refusal is not null && time.GetElapsedTime(_tried) > TryAgainAfter;
        if (due || _triedProgram != Program())
        {
            await TryAsync(cancellationToken);
        }
    }

    /// <summary>After an encoder has failed a job: whether it is the encoder.</summary>
    /// <returns>Why this encoder can't write any job; null when it can, and the fault was the job's or a passing one.</returns>
    public async Task<string?> ReviewAsync()
    {
        await TryAsync(CancellationToken.None);
        return _refusal;
    }

    public void Dispose() => _one.Dispose();

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            (_tried, _triedProgram) = (time.GetTimestamp(), Program());
            var result = await trial.RunAsync(cancellationToken);
            Tell(result);
            _refusal = result.Refusal;
            var fault = _refusal is null ? null : $"the video encoder can't write a video: {_refusal}. {FfmpegFault.Repair}";
            foreach (var slot in discovery.Slots)
            {
                slot.EncoderFault = fault;
            }
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            log.NotTried(trouble.Message); // No place for a trial says nothing of the encoder
        }
        finally
        {
            _one.Release();
        }
    }

    private void Tell(EncoderTrialResult result)
    {
        if (result.Refusal is not null && result.Refusal != _refusal)
        {
            log.EncoderRefuses(options.Value.FfmpegPath, result.Refusal);
        }

        if (result.Refusal is null && _refusal is not null)
        {
            log.EncoderWorksAgain(options.Value.FfmpegPath);
        }

        foreach (var complaint in result.MissingPictures)
        {
            log.NoPictures(options.Value.FfmpegPath, complaint);
        }
    }

    private ProgramStamp? Program() =>
        ProgramPath.Find(options.Value.FfmpegPath) is { } path
        && (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)) is FileInfo { Exists: true } file
            ? new ProgramStamp(file.FullName, file.Length, file.LastWriteTimeUtc)
            : null;

    /// <summary>Another one here is another program.</summary>
    private sealed record ProgramStamp(string Path, long Bytes, DateTime Written);
}
