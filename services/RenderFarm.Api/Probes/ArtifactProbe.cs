using System.Security.Cryptography;
using System.Text;
using RenderFarm.Artifacts;

namespace RenderFarm.Api.Probes;

/// <summary>
/// Whether the artifact store takes an object and lets go of it again: one that is full, is read-only or is another folder than it was
/// still answers questions. What came of the last try is kept for whoever asks.
/// </summary>
internal sealed partial class ArtifactProbe(IArtifactStore store, TimeProvider time, ILogger<ArtifactProbe> log)
{
    /// <summary>The store is somebody else's, and may charge for what it does.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Content = Encoding.UTF8.GetBytes("Written and removed, to see that it can be.");
    private static readonly string Sha256 = Convert.ToHexStringLower(SHA256.HashData(Content));
    private long? _tried;

    /// <summary>Null before the first try.</summary>
    public ProbeResult? Last { get; private set; }

    /// <summary>Tries, unless it has lately.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_tried is { } at && time.GetElapsedTime(at) < Every)
        {
            return;
        }

        var fault = await FaultAsync(cancellationToken);
        if (fault is not null && Last?.Fault is null)
        {
            LogAway(fault);
        }
        else if (fault is null && Last?.Fault is not null)
        {
            LogBack();
        }

        (Last, _tried) = (new ProbeResult(fault), time.GetTimestamp());
    }

    private async Task<string?> FaultAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await TryAsync(either.Token).WaitAsync(either.Token);
            return null;
        }
        catch (ArtifactStoreException refused)
        {
            return refused.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return FormattableString.Invariant($"The artifact store has not answered within {Patience.TotalSeconds} s.");
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        var (key, file) = ($"probes/{Guid.NewGuid():N}", Path.GetTempFileName());
        try
        {
            await File.WriteAllBytesAsync(file, Content, cancellationToken);
            await store.PutFileAsync(key, file, "text/plain", Sha256, cancellationToken);
            await store.DeleteAsync(key, cancellationToken);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [LoggerMessage(EventId = 711, Level = LogLevel.Warning, Message = "The artifact store takes nothing; finished videos wait: {Cause}")]
    private partial void LogAway(string cause);

    [LoggerMessage(EventId = 712, Level = LogLevel.Information, Message = "The artifact store takes objects again")]
    private partial void LogBack();
}

/// <param name="Fault">Null when all went well.</param>
internal sealed record ProbeResult(string? Fault);
