namespace RenderFarm.Rendering.Sampling;

/// <summary>
/// Noise levels of one sampler and the times fed to the network. Grids are computed in float64 as the
/// reference does and rounded to float32 once; times are truncated before that rounding, which is why
/// they come from here and are not derived from <see cref="Sigmas"/>.
/// </summary>
public sealed record FlowSchedule
{
    public const int TrainTimesteps = 1000;
    public const int MaxSteps = 1000;

    // Beyond these, neighbouring levels of a long schedule are no longer different float32 numbers.
    public const double MinShift = 0.01;
    public const double MaxShift = 100;

    /// <summary>Steps + 1 levels, falling; the last is 0.</summary>
    public required IReadOnlyList<float> Sigmas { get; init; }

    /// <summary>One per step, in [0, 1000]; whole numbers for UniPC and DPM-Solver++.</summary>
    public required IReadOnlyList<float> Timesteps { get; init; }

    public int Steps => Timesteps.Count;

    /// <summary>UniPC starts just below 1: the largest level the scheduler was trained with, as float32.</summary>
    public static FlowSchedule UniPc(int steps, double shift)
    {
        const float Top = 1f - 1f / TrainTimesteps;
        return Truncated(LinearlyFalling(Top, 0, steps + 1, Checked(steps, shift)), shift);
    }

    /// <summary>DPM-Solver++ starts at pure noise.</summary>
    public static FlowSchedule DpmSolver(int steps, double shift) =>
        Truncated(LinearlyFalling(1, 0, steps + 1, Checked(steps, shift)), shift);

    /// <summary>
    /// Euler steps evenly from 1 down to the least trained level, which is itself shifted before the whole grid is
    /// shifted; its times keep their fractions.
    /// </summary>
    public static FlowSchedule Euler(int steps, double shift)
    {
        Checked(steps, shift);
        // In float32 arithmetic, as the reference makes its table of trained levels
        var (warp, lowest) = ((float)shift, 1f / TrainTimesteps);
        var least = warp * lowest / (1 + (warp - 1) * lowest);
        var grid = LinearlyFalling(TrainTimesteps, least * (double)TrainTimesteps, steps, steps);
        var sigmas = Array.ConvertAll(grid, level => (float)Shifted(level / TrainTimesteps, shift));
        return new FlowSchedule { Sigmas = [.. sigmas, 0f], Timesteps = Array.ConvertAll(sigmas, sigma => sigma * TrainTimesteps) };
    }

    /// <summary>
    /// Levels that a model distilled to few steps was trained at: evenly spaced entries of the table of a thousand, from pure
    /// noise on. Its times keep their fractions.
    /// </summary>
    public static FlowSchedule Distilled(int steps, double shift)
    {
        Checked(steps, shift);
        var sigmas = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            sigmas[i] = (float)Shifted(1 - (i * TrainTimesteps / steps / (double)TrainTimesteps), shift);
        }

        return new FlowSchedule { Sigmas = [.. sigmas, 0f], Timesteps = Array.ConvertAll(sigmas, sigma => sigma * TrainTimesteps) };
    }

    /// <summary>The schedule warp: more steps at high noise for a shift above 1.</summary>
    public static double Shifted(double sigma, double shift) => shift * sigma / (1 + (shift - 1) * sigma);

    private static FlowSchedule Truncated(double[] grid, double shift)
    {
        var sigmas = Array.ConvertAll(grid, sigma => Shifted(sigma, shift));
        return new FlowSchedule
        {
            Sigmas = [.. sigmas.Select(sigma => (float)sigma), 0f],
            Timesteps = Array.ConvertAll(sigmas, sigma => (float)(long)(sigma * TrainTimesteps)),
        };
    }

    /// <summary>
    /// The first <paramref name="count"/> of <paramref name="points"/> evenly spaced values, rounded as numpy's linspace rounds
    /// them.
    /// </summary>
    private static double[] LinearlyFalling(double start, double stop, int points, int count)
    {
        var values = new double[count];
        var step = points > 1 ? (stop - start) / (points - 1) : 0;
        for (var i = 0; i < count; i++)
        {
            values[i] = i > 0 && i == points - 1 ? stop : i * step + start;
        }

        return values;
    }

    private static int Checked(int steps, double shift)
    {
        if (steps is < 1 or > MaxSteps)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"steps must be between 1 and {MaxSteps}.");
        }

        if (shift is not (>= MinShift and <= MaxShift))
        {
            throw new ArgumentOutOfRangeException(
                nameof(shift),
                shift,
                $"shift must be between {MinShift} and {MaxShift}; models use 1 to 16."
            );
        }

        return steps;
    }
}
