using System.Collections.Concurrent;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Nvml;
using RenderFarm.Planning.Cards;

namespace RenderFarm.Worker.Slots;

/// <summary>Where one job at a time can run: a card, or the CPU.</summary>
internal sealed class Slot : IDisposable
{
    private readonly SlotDescription _description;
    private readonly Func<long> _freeBytes;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<long, int> _reported = new();
    private string? _cardFault;
    private string? _deviceFault;
    private string? _encoderFault;
    private XidError? _error;
    private DateTimeOffset? _since;
    private string? _closed;
    private DateTimeOffset? _closedSince;
    private CancellationTokenSource _broken = new();

    private Slot(SlotDescription description, SlotCard? card, Func<long> freeBytes, TimeProvider time)
    {
        _description = description;
        Card = card;
        _freeBytes = freeBytes;
        _time = time;
        Pause = new SlotPause(time);
    }

    public SlotDescription Description
    {
        get
        {
            lock (_gate)
            {
                return _description with
                {
                    Calibration = Calibration,
                    Quarantine = Quarantine ?? _closed,
                    QuarantinedAt = (_since ?? _closedSince)?.ToUnixTimeSeconds(),
                };
            }
        }
    }

    public string Id => _description.Id;
    public SlotKind Kind => _description.Kind;

    /// <summary>Null on the CPU.</summary>
    public SlotCard? Card { get; }

    /// <summary>The only card that a renderer of this slot may see; null on the CPU.</summary>
    public string? CardUuid => Card?.Card.Uuid;

    /// <summary>What a renderer could take now.</summary>
    /// <exception cref="NvmlException">The driver doesn't answer for the card (any more).</exception>
    public long FreeBytes => Math.Max(_freeBytes(), Pause.FreeBytesBefore ?? 0);

    /// <summary>The time between its jobs.</summary>
    public SlotPause Pause { get; }

    /// <summary>What plans for it are timed with; null before anything is known.</summary>
    public CardCalibration? Calibration { get; set; }

    /// <summary>The job it works on, for the eyes of operators.</summary>
    public string? CurrentJob { get; set; }

    /// <summary>Why it takes no jobs until somebody, or time, puts it right; null when nothing is wrong with it.</summary>
    public string? Quarantine => Unfit ?? CardError ?? _cardFault ?? _deviceFault ?? _encoderFault;

    /// <summary>Why its host takes no jobs for now, with nothing wrong with the slot: told to the farm as a quarantine is.</summary>
    public string? Closed
    {
        get => _closed;
        set
        {
            lock (_gate)
            {
                (_closed, _closedSince) = (value, value is null ? null : _closedSince ?? _time.GetUtcNow());
            }
        }
    }

    /// <summary>Why its card can never take a job; null when it can.</summary>
    public string? Unfit
    {
        get;
        private init
        {
            field = value;
            _since = value is null ? null : _time.GetUtcNow();
        }
    }

    /// <summary>How often the driver reported each error of its card in this life of the worker, by Xid.</summary>
    public IReadOnlyDictionary<long, int> CardErrors => _reported;

    /// <summary>What the driver reported of its card: stands until it is <see cref="Resume">resumed</see>.</summary>
    public string? CardError => _error?.ToString();

    /// <summary>Ends when the card fails: what runs on it then comes to nothing.</summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>What is wrong with its card, as far as a look at it tells.</summary>
    public string? CardFault
    {
        get => _cardFault;
        set => Change(() => _cardFault = value);
    }

    /// <summary>Why no renderer can work on it.</summary>
    public string? DeviceFault
    {
        get => _deviceFault;
        set => Change(() => _deviceFault = value);
    }

    /// <summary>What is wrong with the video encoder, which a worker's slots share.</summary>
    public string? EncoderFault
    {
        get => _encoderFault;
        set => Change(() => _encoderFault = value);
    }

    public void Reported(long xid) => _reported.AddOrUpdate(xid, 1, (_, before) => before + 1);

    /// <summary>The driver reported an error of its card. Of several the first that ends a job stands.</summary>
    /// <param name="error">What it reported.</param>
    /// <param name="at">When, where that was before this worker started.</param>
    public void Break(XidError error, DateTimeOffset? at = null)
    {
        Change(() => (_error, _since) = (_error is { EndsItsJob: true } ? _error : error, _since ?? at));
        if (error.EndsItsJob)
        {
            _broken.Cancel();
        }
    }

    /// <summary>Somebody has seen to it: what was reported is forgotten, and whoever looks at the slot looks anew.</summary>
    public void Resume()
    {
        Change(() => (_error, _cardFault, _deviceFault, _encoderFault) = (null, null, null, null));
        if (_broken is { IsCancellationRequested: true } spent)
        {
            _broken = new CancellationTokenSource();
            spent.Dispose();
        }
    }

    public void Dispose() => _broken.Dispose();

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            _since = Quarantine is null ? null : _since ?? _time.GetUtcNow();
        }
    }

    public static Slot Cpu(string processor, TimeProvider time) =>
        new(
            new SlotDescription
            {
                Id = "cpu",
                Kind = SlotKind.Cpu,
                Card = processor,
                TotalBytes = HostMemory.TotalBytes,
            },
            card: null,
            () => HostMemory.AvailableBytes,
            time
        );

    public static Slot Cuda(NvmlLibrary library, Card card, TimeProvider time)
    {
        var own = new SlotCard(library, card);
        return new Slot(
            new SlotDescription
            {
                Id = $"gpu{card.Index}",
                Kind = SlotKind.Cuda,
                Card = card.Name,
                Driver = library.DriverVersion,
                ComputeCapability = card.ComputeCapability,
                TotalBytes = card.TotalBytes,
            },
            own,
            () => own.Memory.FreeBytes,
            time
        )
        {
            Unfit = CardFitness.WhyNot(card.Name, card.ComputeCapability),
        };
    }
}
