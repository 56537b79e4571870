namespace RenderFarm.Rendering.Sampling;

/// <summary>
/// Scalars of one step between two levels, in double precision from float32 sigmas. With
/// <c>lambda = ln(1 − sigma) − ln(sigma)</c>, the exact first-order step on x0 predictions is
/// <c>x' = Decay · x + Gain · x0</c>.
/// </summary>
internal readonly record struct FlowStep
{
    private FlowStep(double decay, double gain, double h)
    {
        Decay = decay;
        Gain = gain;
        H = h;
    }

    /// <summary>sigma_to / sigma_from.</summary>
    public double Decay { get; }

    /// <summary>−(1 − sigma_to) · (exp(−h) − 1).</summary>
    public double Gain { get; }

    /// <summary>lambda_to − lambda_from; infinite when a level is 0 or 1, where only first-order steps are taken.</summary>
    public double H { get; }

    public static FlowStep Between(float from, float to)
    {
        // Sigma 0 at the end: the step lands on x0 itself. Sigma 1 at the start: exp(−h) is 0. Written out, so that
        // no infinity takes part in arithmetic.
        if (to == 0)
        {
            return new FlowStep(0, 1, double.PositiveInfinity);
        }

        var alpha = 1.0 - to;
        if (from >= 1)
        {
            return new FlowStep(to / (double)from, alpha, double.PositiveInfinity);
        }

        var h = Lambda(to) - Lambda(from);
        return new FlowStep(to / (double)from, -alpha * (Math.Exp(-h) - 1), h);
    }

    public static double Lambda(float sigma) => Math.Log(1.0 - sigma) - Math.Log(sigma);
}
