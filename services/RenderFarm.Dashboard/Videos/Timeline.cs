using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Videos;

/// <summary>A video's life as stretches of time, one lane an attempt, each from 0 to 1 of the whole.</summary>
/// <param name="Seconds">The whole of it.</param>
public sealed record Timeline(double Seconds, IReadOnlyList<TimelineLane> Lanes)
{
    public static Timeline Of(VideoRecord video, IReadOnlyList<AttemptRecord> attempts, DateTimeOffset now)
    {
        var begin = (double)video.CreatedAt;
        var end = video.IsOpen
            ? now.ToUnixTimeMilliseconds() / 1000.0
            : Math.Max(video.CompletedAt ?? video.CreatedAt, attempts.Max(attempt => attempt.EndedAt) ?? video.CreatedAt);
        // Times of the store are whole seconds; what was measured may say more.
        var measured = attempts.Count == 0 ? 0 : attempts.Max(attempt => attempt.LeasedAt - begin + Measured(attempt));
        end = Math.Max(end, begin + measured);
        var whole = Math.Max(end - begin, 0.1);
        var lanes = new List<TimelineLane>();
        var waitedFrom = begin;
        foreach (var attempt in attempts.OrderBy(attempt => attempt.LeasedAt))
        {
            var stop = Math.Max(attempt.EndedAt ?? end, attempt.LeasedAt + Measured(attempt));
            var waited = attempt.LeasedAt - waitedFrom;
            var wait = new Stretch("queued", (waitedFrom - begin) / whole, (attempt.LeasedAt - begin) / whole, waited);
            lanes.Add(new TimelineLane(attempt, [wait, .. Stages(attempt, stop - attempt.LeasedAt, begin, whole, video)]));
            waitedFrom = stop;
        }

        if (video.Status == VideoStatus.Queued || lanes.Count == 0)
        {
            lanes.Add(new TimelineLane(null, [new Stretch("queued", (waitedFrom - begin) / whole, 1, end - waitedFrom)]));
        }

        return new Timeline(whole, lanes);
    }

    private static double Measured(AttemptRecord attempt) => Known(attempt).Sum(stage => stage.Seconds ?? 0);

    private static (string Stage, double? Seconds)[] Known(AttemptRecord attempt)
    {
        var measured = attempt.Measurements;
        return
        [
            ("loading", measured?.LoadSeconds),
            ("encoding_text", measured?.EncodeTextSeconds),
            ("encoding_image", measured?.EncodeImageSeconds),
            ("denoising", measured?.DenoiseSeconds),
            ("decoding", measured?.DecodeSeconds),
            ("uploading", measured?.UploadSeconds),
        ];
    }

    /// <summary>As far as they were measured; what is left of the attempt has the name of what it was at.</summary>
    private static IEnumerable<Stretch> Stages(AttemptRecord attempt, double length, double begin, double whole, VideoRecord video)
    {
        var (at, stop) = (attempt.LeasedAt - begin, attempt.LeasedAt - begin + length);
        foreach (var (stage, seconds) in Known(attempt))
        {
            if (seconds is > 0 and var took && at < stop)
            {
                var until = Math.Min(at + took, stop);
                yield return new Stretch(stage, at / whole, until / whole, took);
                at = until;
            }
        }

        if (stop - at > 0.01)
        {
            var rest = attempt.EndedAt is null ? Word.Of(video.Stage) : attempt.Outcome == "completed" ? "other" : attempt.Outcome;
            yield return new Stretch(rest, at / whole, stop / whole, stop - at);
        }
    }
}

/// <param name="Attempt">Null while it waits.</param>
public sealed record TimelineLane(AttemptRecord? Attempt, IReadOnlyList<Stretch> Stretches);

/// <param name="Stage">A stage, <c>queued</c>, or how the attempt ended.</param>
/// <param name="From">0 to 1.</param>
/// <param name="To">0 to 1.</param>
/// <param name="Seconds">As measured: more than it shows where clocks have whole seconds.</param>
public sealed record Stretch(string Stage, double From, double To, double Seconds);
