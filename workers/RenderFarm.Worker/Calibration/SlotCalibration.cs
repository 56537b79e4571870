using System.Globalization;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Nvml;
using RenderFarm.Planning.Cards;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Calibration;

/// <summary>
/// What each slot's plans are timed with: rates measured on it, else what is known of its kind, and of eight bits only what the renderer
/// has just computed rightly there. Measures when nobody is disturbed by it.
/// </summary>
internal sealed class SlotCalibration(
    IOptions<WorkerOptions> options,
    SlotDiscovery discovery,
    DeviceTrials trials,
    RendererTorch torch,
    TimeProvider time,
    ILogger<SlotCalibration> log
)
{
    private const int BusyPercent = 10;
    private const long NeededBytes = 4 * Gibibytes.One;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestHold = TimeSpan.FromHours(1);
    private readonly Dictionary<string, SlotStudy> _studies = discovery.Slots.ToDictionary(slot => slot.Id, _ => new SlotStudy());

    /// <summary>Before the first job: every card is looked at. A processor can wait: its plans choose nothing by its rates.</summary>
    public Task PrepareAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(discovery.Slots.Where(slot => slot.Kind == SlotKind.Cuda).Select(slot => ProbeAsync(slot, cancellationToken)));

    /// <summary>Has the renderer look at the device now, and takes what is kept of it.</summary>
    /// <returns>Null when it could not.</returns>
    public async Task<DeviceProbe?> ProbeAsync(Slot slot, CancellationToken cancellationToken)
    {
        var study = _studies[slot.Id];
        try
        {
            study.Probe = await trials.ProbeAsync(slot, cancellationToken);
            study.Failures = 0;
        }
        catch (DeviceTrialException fault)
        {
            HoldOff(study);
            log.NotProbed(slot.Id, slot.Description.Card, fault.Message);
            return null;
        }

        if (study.Probe.Fault is { } found)
        {
            var reason = torch.Lack is { } lack ? $"{lack}. {RendererTorch.Remedy}" : found;
            study.NotBefore = After(LookAgain);
            if (slot.DeviceFault != reason)
            {
                log.CannotRender(slot.Id, slot.Description.Card, reason);
            }

            slot.DeviceFault = reason;
            return study.Probe;
        }

        slot.DeviceFault = null;
        foreach (var way in study.Probe.Ways.Where(way => !way.IsUsual))
        {
            log.WayRound(slot.Id, way.Subject, way.Finding);
        }

        if (CalibrationFiles.Find(options.Value.CalibrationDirectory, study.Probe.Subject) is { } kept)
        {
            (study.IsMeasured, study.MeasuredWith) = (true, kept.Subject.Driver);
            slot.Calibration = Allowed(kept.Rates, study.Probe);
        }
        else
        {
            slot.Calibration =
                slot.Kind == SlotKind.Cuda
                    ? Allowed(KnownCards.Estimate(slot.Description.Card, slot.Description.ComputeCapability), study.Probe)
                    : null;
        }

        log.Probed(
            slot.Id,
            slot.Description.Card,
            slot.Calibration is { IsEstimate: false } ? "measured rates" : "estimates",
            study.Probe.Fp8Fault is { } fp8 ? $"not used ({fp8})" : "run correctly",
            study.Probe.EightBitAttentionFault is { } attention ? $"not used ({attention})" : "runs correctly"
        );
        return study.Probe;
    }

    /// <summary>Finds out the next thing about a slot, if there is one and the slot has nothing else to do.</summary>
    /// <returns>What the farm knows of the slot has changed.</returns>
    public async Task<bool> LookAsync(Slot slot, CancellationToken cancellationToken)
    {
        var study = _studies[slot.Id];
        if (slot.CardError is not null || slot.CardFault is not null || time.GetTimestamp() < study.NotBefore)
        {
            return false;
        }

        try
        {
            if (study.Probe is not { Fault: null })
            {
                return await ProbeInPauseAsync(slot, cancellationToken);
            }

            return options.Value.Calibrate && !study.IsUpToDate && await MeasureInPauseAsync(slot, study, cancellationToken);
        }
        catch (NvmlException fault)
        {
            HoldOff(study);
            log.NotProbed(slot.Id, slot.Description.Card, fault.Message);
            return false;
        }
    }

    /// <summary>A processor that nobody ever measured is only looked at when it is to be.</summary>
    private async Task<bool> ProbeInPauseAsync(Slot slot, CancellationToken cancellationToken)
    {
        var waits = slot.Kind == SlotKind.Cpu && !CalibrationFiles.Any(options.Value.CalibrationDirectory);
        if (waits && !options.Value.Calibrate)
        {
            return false;
        }

        using var use = slot.Pause.TryTake(waits ? IdleTime : TimeSpan.Zero, () => slot.FreeBytes);
        if (use is null)
        {
            return false;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(use.Ending, cancellationToken);
        try
        {
            var (rates, fault) = (slot.Calibration, slot.DeviceFault);
            return await ProbeAsync(slot, either.Token) is not null && (rates != slot.Calibration || fault != slot.DeviceFault);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // A job has come
        }
    }

    private async Task<bool> MeasureInPauseAsync(Slot slot, SlotStudy study, CancellationToken cancellationToken)
    {
        var missing = slot.Kind == SlotKind.Cuda && !study.IsMeasured;
        using var use = slot.Pause.TryTake(missing ? TimeSpan.Zero : IdleTime, () => slot.FreeBytes);
        if (use is null)
        {
            return false;
        }

        if (slot.Card is { } card && (card.Vitals.UtilizationPercent > BusyPercent || card.Memory.FreeBytes < NeededBytes))
        {
            study.NotBefore = After(LookAgain);
            return false;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(use.Ending, cancellationToken);
        var started = time.GetTimestamp();
        log.Measuring(slot.Id, slot.Description.Card);
        try
        {
            var rates = await trials.MeasureAsync(slot, either.Token);
            (study.IsMeasured, study.MeasuredWith, study.Failures) = (true, study.Probe!.Subject.Driver, 0);
            slot.Calibration = Allowed(rates, study.Probe);
            log.Measured(slot.Id, slot.Description.Card, time.GetElapsedTime(started).TotalSeconds, Words(slot.Calibration));
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            log.GaveWay(slot.Id, time.GetElapsedTime(started).TotalSeconds);
            return false;
        }
        catch (DeviceTrialException fault)
        {
            var hold = HoldOff(study);
            log.NotMeasured(slot.Id, slot.Description.Card, hold.TotalMinutes, fault.Message);
            return false;
        }
    }

    private TimeSpan IdleTime => TimeSpan.FromSeconds(options.Value.CalibrationIdleSeconds);

    /// <summary>What is not right on the device is not planned with, whatever it once reached.</summary>
    private static CardCalibration Allowed(CardCalibration rates, DeviceProbe probe) =>
        rates with
        {
            Fp8Flops = probe.Fp8Fault is null ? rates.Fp8Flops : null,
            Int8Flops = probe.Int8Fault is null ? rates.Int8Flops : null,
            EightBitAttentionFlops = probe.EightBitAttentionFault is null ? rates.EightBitAttentionFlops : null,
        };

    /// <summary><c>bf16 784, fp8 1450, attention 575 TFLOP/s</c></summary>
    private static string Words(CardCalibration rates)
    {
        (string Name, double? Rate)[] all =
        [
            ("fp32", rates.Fp32Flops),
            ("bf16", rates.Bf16Flops),
            ("fp8", rates.Fp8Flops),
            ("int8", rates.Int8Flops),
            ("attention", rates.AttentionFlops),
            ("eight-bit attention", rates.EightBitAttentionFlops),
        ];
        return string.Join(
                ", ",
                all.Where(one => one.Rate is not null)
                    .Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name} {one.Rate / 1e12:0.##}"))
            ) + " TFLOP/s";
    }

    /// <summary>Longer after every failure.</summary>
    private TimeSpan HoldOff(SlotStudy study)
    {
        var hold = LookAgain * Math.Pow(2, study.Failures++);
        hold = hold < LongestHold ? hold : LongestHold;
        study.NotBefore = After(hold);
        return hold;
    }

    private long After(TimeSpan hold) => time.GetTimestamp() + (long)(hold.TotalSeconds * time.TimestampFrequency);
}
