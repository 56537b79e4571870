using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Stages;

/// <summary>The stages of one request under one correction, for the kinds of plans that have it.</summary>
internal sealed class CorrectedStages
{
    private readonly PlanContext _context;
    private readonly DenoiseStage _denoise;
    private readonly List<StageOption<int>> _image;
    private readonly List<KindGroup> _groups;

    public CorrectedStages(PlanContext context)
    {
        _context = context;
        var vae = new VaeStage(context);
        _denoise = new DenoiseStage(context);
        _image = context.Request.HasImage ? [.. vae.ImageOptions()] : [];
        _groups = [.. Groups([.. new TextStage(context).Options()], [.. vae.DecodeOptions()])];
    }

    /// <summary>The least that a plan of these kinds needs; null when there is none.</summary>
    public long? LeastPeakBytes =>
        _groups.Min(LeastOf) is { } least ? Math.Max(least, _image.Count == 0 ? 0 : _image.Min(option => option.PeakBytes)) : null;

    /// <summary>What prepared weights may take, by the precision.</summary>
    public IEnumerable<long> HostSizes => _denoise.HostSizes;

    /// <summary>The fastest of these kinds within the budget, by ways that are admitted; null when none fits.</summary>
    public PlanDraft? Best(long budget, Func<DenoiseWay, bool> admitted)
    {
        var image = _image.Fastest(budget);
        return _context.Request.HasImage && image is null
            ? null
            : PlanDraft.Fastest(_groups.Select(group => BestOf(group, image, budget, admitted)));
    }

    /// <summary>
    /// Without corrections by kind every choice of a stage goes with every other one. With them, text encoder and tiles are taken
    /// apart by what a kind says of them, and of the denoiser's ways those stay whose kind has this correction.
    /// </summary>
    private IEnumerable<KindGroup> Groups(List<StageOption<TextEncoderPlacement>> text, List<StageOption<int>> decode)
    {
        if (_context.Request.Corrections.OfKinds.Count == 0)
        {
            yield return new(text, decode, _ => true);
            yield break;
        }

        foreach (var placed in text.GroupBy(option => option.Choice))
        {
            foreach (var tiled in decode.GroupBy(option => option.Choice > 0))
            {
                var corrected = new Dictionary<string, bool>(StringComparer.Ordinal);
                yield return new(
                    [.. placed],
                    [.. tiled],
                    choice =>
                    {
                        var kind = PlanDraft.KindOf(placed.Key, choice, tiled.Key);
                        if (!corrected.TryGetValue(kind, out var has))
                        {
                            corrected[kind] = has = _context.Request.Corrections.Of(kind) == _context.Correction;
                        }

                        return has;
                    }
                );
            }
        }
    }

    private long? LeastOf(KindGroup group)
    {
        if (group.Text.Count == 0 || group.Decode.Count == 0 || _denoise.LeastPeakBytes(group.Denoises) is not { } denoise)
        {
            return null;
        }

        var others = Math.Max(group.Text.Min(option => option.PeakBytes), group.Decode.Min(option => option.PeakBytes));
        return Math.Max(denoise, others);
    }

    private PlanDraft? BestOf(KindGroup group, StageOption<int>? image, long budget, Func<DenoiseWay, bool> admitted) =>
        group.Text.Fastest(budget) is { } text
        && group.Decode.Fastest(budget) is { } decode
        && _denoise.Fastest(budget, admitted, group.Denoises) is { } denoise
            ? new(_context, text, image, denoise, decode)
            : null;

    /// <param name="Denoises">Whether a choice of the denoiser makes a plan of these kinds, with any of the others.</param>
    private sealed record KindGroup(
        List<StageOption<TextEncoderPlacement>> Text,
        List<StageOption<int>> Decode,
        Func<DenoiseChoice, bool> Denoises
    );
}
