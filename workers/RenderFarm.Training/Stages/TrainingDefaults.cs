namespace RenderFarm.Training.Stages;

/// <summary>What a run does that is told nothing else: the run that the demo model comes from. The usage text shows them.</summary>
internal static class TrainingDefaults
{
    public const long Seed = 1;
    public const double VaeSeconds = 600;
    public const double TextSeconds = 120;
    public const double DenoiserSeconds = 560;
    public const int Batch = 512;
    public const int VaeBatch = 48;
    public const double VaeRate = 1.5e-3;
    public const double DenoiserRate = 1e-3;
}
