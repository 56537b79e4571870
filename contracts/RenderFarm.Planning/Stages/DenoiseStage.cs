using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Stages;

/// <param name="Way">How the weights are stored and the tokens chunked.</param>
/// <param name="RingSlots">0 when nothing is streamed.</param>
internal sealed record DenoiseChoice(DenoiseWay Way, int Resident, int Streamed, int RingSlots, double StepSeconds);

/// <summary>
/// The DiT's memory and time. For each way to store and chunk it, as many blocks stay resident as the budget allows;
/// the rest come through a ring of slots, copied while other blocks compute. More resident blocks are never slower.
/// </summary>
internal sealed class DenoiseStage
{
    private static readonly int[] Chunks = [0, 16_384, 8192, 4096, 2048, 1024];

    /// <summary>
    /// What the traffic of a copy costs the block that computes meanwhile, as part of the copy. Assumed; h100-80gb-speed.json has
    /// streamed steps 0.5 % longer than resident ones.
    /// </summary>
    private const double CopyDisturbance = 0.004;

    private readonly PlanContext _context;
    private readonly List<DenoiseWay> _ways = [];
    private readonly int _layers;

    public DenoiseStage(PlanContext context)
    {
        _context = context;
        _layers = context.Request.Shape.Transformer.Layers;
        var (request, pins) = (context.Request, context.Request.Pins);
        // One forward for both branches pays where weights travel; on a CPU they don't, and pictures are given per branch
        bool[] batchings =
            !request.Guided || request.HasImage || request.StepCache ? [false]
            : pins.GuidanceBatched is { } batch ? [batch]
            : context.OnCpu ? [false]
            : [false, true];
        foreach (var precision in context.Classes.SelectMany(one => one.Precisions).Distinct())
        {
            if (context.Rates.ProductFlops(precision) is null)
            {
                continue;
            }

            if (!context.OnCpu && context.HostBytesNeeded(precision) > (context.Slot.HostBytes ?? long.MaxValue))
            {
                continue;
            }

            foreach (var attention in DenoiseWay.AttentionsFor(context, precision))
            {
                if (QualityClass.Admitting(context, precision, attention) is not (> 0 and var classes))
                {
                    continue;
                }

                foreach (var batched in batchings)
                {
                    foreach (var chunk in pins.FfnChunkTokens is { } fixedChunk ? [fixedChunk] : Chunks)
                    {
                        if (chunk < context.Geometry.Tokens * (batched ? 2 : 1) || pins.FfnChunkTokens is not null)
                        {
                            _ways.Add(new(context, precision, attention, chunk, batched) { Classes = classes });
                        }
                    }
                }
            }
        }
        // Ways of one kind miss by the same factor; of two kinds with factors of their own the one that seems better may not be
        var byKind = request.Corrections.Distinct.Skip(1).Any();
        for (var i = _ways.Count - 1; i >= 0; i--)
        {
            var way = _ways[i];
            if (_ways.Exists(other => other != way && (!byKind || other.IsOfKindOf(way)) && other.Dominates(way)))
            {
                _ways.RemoveAt(i);
            }
        }
    }

    /// <summary>The least that any of the wanted choices needs, blocks streamed as far as pins allow; null when there is none.</summary>
    public long? LeastPeakBytes(Func<DenoiseChoice, bool> wanted) =>
        _ways.SelectMany(Leanest).Where(option => wanted(option.Choice)).Min(option => (long?)option.PeakBytes);

    /// <summary>What prepared weights take on the host, way by way.</summary>
    public IEnumerable<long> HostSizes => _ways.Select(way => way.HostBytes).Distinct();

    /// <summary>The fastest of the wanted choices within the budget, the leaner of equals; null when none fits.</summary>
    public StageOption<DenoiseChoice>? Fastest(long budget, Func<DenoiseWay, bool> admitted, Func<DenoiseChoice, bool> wanted) =>
        Options(budget, admitted).Where(option => wanted(option.Choice)).Fastest(budget);

    private IEnumerable<StageOption<DenoiseChoice>> Options(long budget, Func<DenoiseWay, bool> admitted)
    {
        foreach (var way in _ways)
        {
            if (!admitted(way))
            {
                continue;
            }

            if (!Streams(way))
            {
                yield return Option(way, _layers, 0);
            }
            else if (_context.Request.Pins.BlocksStreamed is { } streamed)
            {
                foreach (var ring in Rings(streamed))
                {
                    yield return Option(way, _layers - streamed, ring);
                }
            }
            else
            {
                yield return Option(way, _layers, 0);
                foreach (var ring in Rings(_layers))
                {
                    if (Room(way, ring, budget) is { } resident)
                    {
                        yield return Option(way, resident, Math.Min(ring, _layers - resident));
                    }
                }
            }
        }
    }

    /// <summary>How many blocks can stay beside a ring; null when not even the ring fits.</summary>
    private int? Room(DenoiseWay way, int ring, long budget)
    {
        var bare = Peak(way, 0, ring); // With LoRAs beside, as long as any block is streamed
        if (bare > budget)
        {
            return null;
        }

        // As many as fill the ring come through it: one alone would be waited for.
        // The peak is a straight line in the resident blocks: one division instead of a search, then stay on the safe side
        var perBlock = Peak(way, 1, ring) - bare;
        var room = (int)Math.Clamp((budget - bare) / Math.Max(1, perBlock), 0, Math.Max(0, _layers - ring));
        while (room > 0 && Peak(way, room, ring) > budget)
        {
            room--;
        }

        return room;
    }

    private IEnumerable<StageOption<DenoiseChoice>> Leanest(DenoiseWay way)
    {
        if (Streams(way))
        {
            var streamed = _context.Request.Pins.BlocksStreamed ?? _layers;
            yield return Option(way, _layers - streamed, 1);
        }

        // What large LoRAs take beside streamed blocks may be more than a small model's blocks
        if (!Streams(way) || _context.Request.Pins.BlocksStreamed is null)
        {
            yield return Option(way, _layers, 0);
        }
    }

    /// <summary>Float32 blocks run from the checkpoint as it is.</summary>
    private bool Streams(DenoiseWay way) => !_context.OnCpu && way.Precision != Precision.Fp32 && _context.Request.Pins.BlocksStreamed != 0;

    private static int[] Rings(int streamed) => streamed == 1 ? [1] : [2, 1];

    private StageOption<DenoiseChoice> Option(DenoiseWay way, int resident, int ring)
    {
        var (request, forwardsPerStep) = (_context.Request, way.ForwardsPerStep);
        var forward = Forward(way, _layers - resident, ring, beside: ring > 0);
        // Resident blocks come over the bus like the others, once: during the first forward (of each expert).
        var first = Forward(way, _layers, ring == 1 ? 1 : 2, beside: ring > 0);
        var forwards = forwardsPerStep * request.Steps;
        var loading = Math.Min(request.Shape.Experts, forwards);
        var seconds = way.OutsideLoadSeconds + (first * loading) + (forward * (forwards - loading));
        var choice = new DenoiseChoice(way, resident, _layers - resident, ring, forward * forwardsPerStep * _context.StepTimeFactor);
        return new(choice, Peak(way, resident, ring), seconds * _context.StepTimeFactor);
    }

    /// <summary>With two slots a copy runs while another block computes; with one it is waited for.</summary>
    private static double Forward(DenoiseWay way, int streamed, int ring, bool beside)
    {
        var copy = streamed * way.BlockCopySeconds;
        var compute = way.ForwardSeconds + (beside ? way.BesideSeconds : 0);
        return ring == 1 ? compute + copy : Math.Max(compute, copy) + (CopyDisturbance * copy);
    }

    private long Peak(DenoiseWay way, int resident, int ring) =>
        _context.Peak(((double)(resident + ring) * way.BlockBytes) + way.FixedBytes + (ring > 0 ? way.BesideBytes : 0));
}
