using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>
/// UniPC (Zhao et al. 2023) of order 2, variant bh2, on x0 predictions. Every step first corrects the latent that
/// the step before predicted, using the x0 that the network has just given for the <em>uncorrected</em> latent, then
/// predicts the next one. A correction has the order of the prediction it corrects; the first and the last
/// prediction are of first order.
/// </summary>
public sealed class UniPcSampler(FlowSchedule schedule) : ISampler
{
    private Tensor? _start; // Corrected latent that the last prediction started from
    private Tensor? _newest,
        _older; // x0 predictions of the last step and the one before
    private int _order; // Of the last prediction

    public FlowSchedule Schedule { get; } = schedule;
    public int Step { get; private set; }

    public Tensor Advance(Tensor velocity, Tensor latent)
    {
        if (Step == Schedule.Steps)
        {
            throw new InvalidOperationException($"All {Schedule.Steps} steps have been taken.");
        }

        using var scope = NewDisposeScope();
        var current = latent.add(velocity, alpha: -Schedule.Sigmas[Step]);
        var corrected = _start is null ? latent.alias() : Correct(current);
        Remember(corrected, current);
        _order = Math.Min(Math.Min(2, Schedule.Steps - Step), Step + 1);
        var next = Predict();
        Step++;
        return next.MoveToOuterDisposeScope();
    }

    /// <summary>The step from Step to Step + 1.</summary>
    private Tensor Predict()
    {
        var step = FlowStep.Between(Schedule.Sigmas[Step], Schedule.Sigmas[Step + 1]);
        var next = _start! * step.Decay + _newest! * step.Gain;
        if (_order == 1)
        {
            return next;
        }

        var slope = (_older! - _newest!) / Ratio(Step, step);
        return next + slope * (0.5 * step.Gain);
    }

    /// <summary>Takes the step from Step − 1 to Step again, now that x0 at its end is known.</summary>
    private Tensor Correct(Tensor current)
    {
        var step = FlowStep.Between(Schedule.Sigmas[Step - 1], Schedule.Sigmas[Step]);
        var next = _start! * step.Decay + _newest! * step.Gain;
        var change = current - _newest!;
        if (_order == 1)
        {
            return next + change * (0.5 * step.Gain);
        }

        // Rho solves [1 1; ratio 1] · rho = [b1 b2], the order conditions of bh2.
        var hh = -step.H;
        var growth = double.ExpM1(hh);
        var k1 = growth / hh - 1;
        var b1 = k1 / growth;
        var b2 = 2 * (k1 / hh - 0.5) / growth;
        var ratio = Ratio(Step - 1, step);
        var rho1 = (b1 - b2) / (1 - ratio);
        var rho2 = b1 - rho1;
        var slope = (_older! - _newest!) / ratio;
        return next + (slope * rho1 + change * rho2) * step.Gain;
    }

    /// <summary>Length of the step that ended at <paramref name="from"/> against the one that starts there: negative.</summary>
    private double Ratio(int from, FlowStep step) =>
        (FlowStep.Lambda(Schedule.Sigmas[from - 1]) - FlowStep.Lambda(Schedule.Sigmas[from])) / step.H;

    private void Remember(Tensor corrected, Tensor current)
    {
        _older?.Dispose();
        _older = _newest;
        _newest = current.DetachFromDisposeScope();
        _start?.Dispose();
        _start = corrected.DetachFromDisposeScope();
    }

    public void Dispose()
    {
        _start?.Dispose();
        _newest?.Dispose();
        _older?.Dispose();
    }
}
